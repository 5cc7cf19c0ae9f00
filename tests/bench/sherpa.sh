#!/usr/bin/env bash
# sherpa-onnx on a bundle against stage 4: phones, and words found with the bundle's graph.
#   e.g.: tests/bench/sherpa.sh ru_en both        default: ru_en, its first system
# The last line is `utterances=N phones_differ=N words_differ=N`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
recipe=${1:-ru_en}
./run.sh --recipe "$recipe" --stage 7 --stop-stage 7
python tests/bench/bundle.py "exp/$recipe" "${2:-}"
