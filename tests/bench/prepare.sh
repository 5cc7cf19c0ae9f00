#!/usr/bin/env bash
# What stages 0 and 2 cost, and what it costs to read an epoch with stored features, in shards,
# and computed for each batch: a corpus of a few recordings under many names.
#   e.g.: tests/bench/prepare.sh --utterances 100000
# The last line is `utterances_per_s=N rss_10k_mb=N rss_100k_mb=N realtime=N two=N`: stage 0
# with all processes; the peak memory of stages 0 and 2, all processes together, at a tenth
# of the corpus and at all of it; stage 2 with one process, and two against one (medians).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ./path.sh
exec python tests/bench/prepare.py "$@"
