#!/usr/bin/env bash
# The tests: style of the code, types, shell files, and everything that pytest finds.
#   e.g.: ./tests/run.sh                                all of them, in two processes
#         ./tests/run.sh tests/features/test_cmn.py -k window
#         ./tests/run.sh --all                          and the scripts that take longer
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. ./path.sh
if [ $# -eq 0 ] || [ "$1" = --all ]; then
  ruff check .
  ruff format --check .
  shellcheck -x run.sh path.sh local/*.sh tests/*.sh tests/bench/*.sh .ci/run
  mypy
  python -m pytest --numprocesses 2 --dist worksteal --durations=5
  [ $# -eq 0 ] || tests/chaos.sh --kills 100
else
  exec python -m pytest "$@"
fi
