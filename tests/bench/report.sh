#!/usr/bin/env bash
# The size of a report, how long it takes to write, and how long a browser takes to open it.
#   e.g.: tests/bench/report.sh                    with 2,000 and with 25,670 test utterances
# The last line is `mb=SIZE seconds=WRITTEN_IN open_s=OPENED_IN rows=UTTERANCES`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
exec env PYTHONPATH="$PYTHONPATH:tests" python tests/bench/report.py "$@"
