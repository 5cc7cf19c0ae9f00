"""Stages 0, 2 and 4 on a Dask cluster, in place of processes of one machine.

It may import: runtime.
"""
