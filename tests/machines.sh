#!/usr/bin/env bash
# Runs recipes/mini on two "machines", network namespaces of this one (without root: on the loopback
# interface), and compares with runs of one process group: byte for byte.
# Dask: a scheduler and two workers, which also train; one is killed in stage 2 and one in stage 4.
# torchrun: two nodes with a process each, against two processes of one node.
#   e.g.: tests/machines.sh
# Not beside other runs of this checkout: it makes the features again that they may share.
# The last line is `dask_differences=N torchrun_differences=N killed_in_stages=2,4`; the exit status is
# 1 if there are differences, or if no worker was killed in one of the stages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. ./path.sh
PYTHONPATH="$PYTHONPATH:$PWD/tests" exec python tests/machines.py "$@"
