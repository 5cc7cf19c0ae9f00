#!/usr/bin/env bash
# Streams against complete recordings: pieces of 10 ms, 100 ms, 1 s and of random sizes.
#   e.g.: tests/bench/stream.sh ru_en both        default: ru_en, its first system
# The last line is `utterances=N differ=N`: test utterances, and results that are not those of the
# complete recording, of four for each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
recipe=${1:-ru_en}
./run.sh --recipe "$recipe" --stage 7 --stop-stage 7
python tests/bench/bundle.py "exp/$recipe" "${2:-}" --stream
