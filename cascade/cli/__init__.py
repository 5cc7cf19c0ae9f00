"""The commands and their options.

It may import: runtime, config, cluster, scoring, bundle, alignment, recognition, pipeline,
inventory, drafting, sweeps, html, streaming, serving.
"""

import os

# As path.sh has it, for a command that was started without it. NumPy and PyTorch read it when they
# are loaded. Forked workers with several threads each are many times as slow, or hang.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
