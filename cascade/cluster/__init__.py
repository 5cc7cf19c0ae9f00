"""Stages 0, 2 and 4 on a Dask cluster, in place of processes of one machine; training, too.

It may import: runtime.
"""
