#!/usr/bin/env bash
# The speed of training, on the features and with the settings of recipes/ru_en_pair: the real
# loop (features read from disk, augmentation, checkpoints) against a bare nn.LSTM on the
# same padded batches ready in memory, against the same fed with packed sequences, two
# processes side by side against one, and its steps in bfloat16 against float32; in turns, so
# that other work on the machine weighs on all alike.
#   e.g.: tests/bench/train.sh --rounds 15 --system cascade
# The last line is `bare=RATIO packed=RATIO two=RATIO bf16=RATIO` (medians): ours over bare,
# ours over packed, two processes over one, bfloat16 over float32 (`none` where the processor has
# no LSTM in it). More is faster.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
./run.sh --recipe ru_en_pair --stop-stage 2
exec python tests/bench/train.py "$@"
