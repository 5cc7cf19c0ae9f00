#!/usr/bin/env bash
# Two processes that train one system together, by torchrun on CPUs: their losses against those of
# one process with batches twice as large; the model after one of them was killed and torchrun
# restarted both; and the time of a step of 320 s of each language against one process. On the
# cascade of recipes/mini. A short step does not pay: the processes wait for each other.
#   e.g.: tests/bench/ranks.sh --steps 100
# The last line is `two=RATIO loss_difference=NATS`: speed against one process, and the largest
# difference of a loss in nats a phone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
./run.sh --recipe mini --stop-stage 2
exec python tests/bench/ranks.py "$@"
