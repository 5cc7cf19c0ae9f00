#!/usr/bin/env bash
# How fast words are found, on one thread, with the graph of an experiment that has run.
#   e.g.: tests/bench/decode.sh                    exp/ru_en, its first system and test set
#         tests/bench/decode.sh exp/mini cascade
# Prints beam against speed and errors, and on the last line the recipe's own setting.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
exec python tests/bench/decode.py "$@"
