#!/usr/bin/env bash
# Phone boundaries of `cascade align` against the published labels of festvox_ru's test set.
#   e.g.: tests/bench/align.sh ru_en both        default: ru_en, its first system
# Also prints two baselines: phones of equal length, and the network's peaks as they are. The last
# line is `utterances=N boundaries=N within20=P within50=P within100=P`: per cent of the published
# boundaries that are at most so many milliseconds away.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
recipe=${1:-ru_en}
./run.sh --recipe "$recipe" --stage 7 --stop-stage 7
python tests/bench/align.py "exp/$recipe" "${@:2}"
