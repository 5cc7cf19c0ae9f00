#!/usr/bin/env bash
# The tests: style of the code, of the shell files, and everything that pytest finds.
#   e.g.: ./tests/run.sh                 all of them
#         ./tests/run.sh tests/test_cmn.py -k window
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. ./path.sh
if [ $# -eq 0 ]; then
  ruff check .
  ruff format --check .
  shellcheck -x run.sh path.sh local/*.sh tests/*.sh tests/bench/*.sh .ci/run
fi
exec python -m pytest --durations=5 "$@"
