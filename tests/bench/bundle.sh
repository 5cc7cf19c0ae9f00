#!/usr/bin/env bash
# A bundle against stage 4, in an environment without torch, on one thread.
#   e.g.: tests/bench/bundle.sh ru_en both        default: ru_en, its first system
# Packs the recipe's systems, installs the project into a new environment, and transcribes all test
# recordings there. The last line is `phones_differ=N words_differ=N rtf=R rss_mb=N start_s=S
# int8_per=P`: recordings whose phones or words are not those of stage 4; seconds of a core for a
# second of speech; memory; seconds before the first recording, without checking and loading the
# graphs and words; and the points of phone error rate on valid that weights of 8 bits cost.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
recipe=${1:-ru_en}
./run.sh --recipe "$recipe" --stage 7 --stop-stage 7
env=$(mktemp -d)
trap 'rm -rf "$env"' EXIT
python -m venv --without-pip "$env"
python -m pip --python "$env/bin/python" install --disable-pip-version-check --progress-bar off \
  --quiet --constraint constraints.txt .
python tests/bench/bundle.py "exp/$recipe" "${2:-}" --python "$env/bin/python"
