#!/usr/bin/env bash
# Kills stages of recipes/mini at random moments, resumes, and compares every output with
# that of an unbroken run, byte for byte.
#   e.g.: tests/chaos.sh --kills 50 --seed 1
# Not beside other runs of this checkout: it makes the features anew that they may share.
# The last line is `kills=N differences=M`; the exit status is 1 if there are differences.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. ./path.sh
exec python tests/chaos.py "$@"
