"""What corpora share: packages, archives, resampling, progress."""
