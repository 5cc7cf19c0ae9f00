"""What any long job needs: errors, files, locks, workers, progress, stamps and stages.

It imports no other package.
"""
