#!/usr/bin/env bash
# The server of a bundle under load: how many streams at real time, memory, malformed messages.
#   e.g.: tests/bench/serve.sh ru_en both --minutes 10     default: ru_en, its first system
# Streams are added until the 95th percentile of the latency passes 500 ms: from the end of a word in
# the sound to the first word that is shown in its place (the search may replace it later: the
# latency to the word itself is printed, too). 80 % of them then run for --minutes, and the growth of the
# server's memory is measured. Then 1,000 clients do what they should not, beside one that does what
# it should. The last line is `streams=N p95_ms=N rss_growth_mb=N malformed=1000 crashed=N`: the most
# streams below 500 ms, the latency with 80 % of them, and processes that died, streams that stayed
# or good clients that were harmed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
recipe=${1:-ru_en}
./run.sh --recipe "$recipe" --stage 7 --stop-stage 7
python tests/bench/serve.py "exp/$recipe" "${@:2}"
