"""What any long job needs: errors, files, locks, workers, progress, tables, stamps, stages.

It imports no other package.
"""
