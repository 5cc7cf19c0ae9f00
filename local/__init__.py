"""The corpora and free texts that recipes may name, one small file each."""
