#!/usr/bin/env bash
# Two processes that train one system together, by torchrun on CPUs: their losses against those of
# one process with batches twice as large, the time of a step against that process, and the model
# after one of them was killed and torchrun restarted both. On the cascade of recipes/mini.
#   e.g.: tests/bench/ranks.sh --steps 100
# The last line is `two=RATIO loss_difference=NATS`: speed against one process, and the largest
# difference of a loss in nats a phone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
./run.sh --recipe mini --stop-stage 2
exec python tests/bench/ranks.py "$@"
