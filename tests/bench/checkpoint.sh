#!/usr/bin/env bash
# What checkpoints cost a training: recipes/mini's cascade, with checkpoints by time and at
# each epoch against none, in turns.
#   e.g.: tests/bench/checkpoint.sh --rounds 3
# The last line is `with=SECONDS without=SECONDS cost=PER_CENT` (medians).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
./run.sh --recipe mini --stop-stage 2
exec python tests/bench/checkpoint.py "$@"
