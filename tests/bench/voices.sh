#!/usr/bin/env bash
# The speed of synthetic speech: the corpus `voices`, against its network alone.
#   e.g.: tests/bench/voices.sh --seconds 60
# The last line is `speech_per_s=N bare=RATIO two=RATIO`: seconds of speech in a second of one core;
# that speed against a bare loop over onnxruntime with the same tokens; and two processes against
# one, by the clock. The packages are fetched first, if they are not in downloads/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
exec python tests/bench/voices.py "$@"
