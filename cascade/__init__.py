"""Acoustic models trained in parallel on two languages, with Kaldi-style recipes."""

import importlib.util
import sys

__version__ = "0.1.0"

if importlib.util.find_spec("yaml") is None:  # path.sh was not sourced
    _HELP = "cascade: this Python lacks packages. First, in the project's folder: . ./path.sh"
    raise SystemExit(_HELP) if sys.argv[:1] == ["-m"] else ImportError(_HELP)
