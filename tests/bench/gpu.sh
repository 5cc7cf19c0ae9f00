#!/usr/bin/env bash
# The speed of training on a GPU: our loop, which reads stored features and augments them, against
# the same steps on batches that are on the card already; with 100 and with 512 neurons, in float32
# and in bfloat16. Then the same step on the CPU of the machine. The speech is random numbers, so
# that nothing is fetched. It takes at most 4 minutes. Without a GPU the CPU is the device.
#   e.g.: tests/bench/gpu.sh --seconds 20 --workers 8
# The last line is `device=NAME ratio=RATIO bf16=RATIO waiting=SHARE`: the loop against batches on
# the card and the share of the time spent waiting for batches (the worst of the four), and
# bfloat16 against float32 with 512 neurons (`none` where the device has none).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
exec python tests/bench/gpu.py "$@"
