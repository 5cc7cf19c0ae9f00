#!/usr/bin/env bash
# The time of scoring, with all files, against that of NIST's sclite on the same texts.
#   e.g.: tests/bench/score.sh --rounds 3
# The last line is `sclite=RATIO utterances=N seconds=OURS`: sclite's seconds by ours (medians).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
exec python tests/bench/score.py "$@"
