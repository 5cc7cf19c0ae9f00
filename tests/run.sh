#!/usr/bin/env bash
# The tests: style of the code, types, shell files, and everything that pytest finds.
#   e.g.: ./tests/run.sh                                all of them, in two processes
#         ./tests/run.sh tests/features/test_cmn.py -k window
#         ./tests/run.sh --all                          the same, with 100 kills in place of 4
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. ./path.sh
if [ $# -gt 0 ] && [ "$1" != --all ]; then
  exec python -m pytest "$@"
fi
kills=4
[ $# -eq 0 ] || kills=100
ruff check .
ruff format --check .
shellcheck -x run.sh path.sh local/*.sh tests/*.sh tests/bench/*.sh .ci/run
mypy
tests/chaos.sh --kills "$kills" --seed 7 --steps 60 # by itself: it rebuilds shared features
exec python -m pytest --numprocesses 2 --dist worksteal --durations=5
