"""What any long job needs: errors, files, locks, workers, progress, tables, stamps and stages.

It imports no other package.
"""
