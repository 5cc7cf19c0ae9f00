"""``python -m cascade``: the command line of `cascade.cli.main`."""

import sys

from cascade.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
