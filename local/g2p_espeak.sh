#!/usr/bin/env bash
# Pronunciations by espeak-ng, as a program of its own (it is under the GPL-3).
#   e.g.: local/g2p_espeak.sh en-us < words > ipa
#         local/g2p_espeak.sh --sentences en-us < sentences > ipa
#         local/g2p_espeak.sh --flags kk < words > ipa   with (en) before what it reads as English
#         local/g2p_espeak.sh --voices         the languages that it knows
# One word a line in; out, on its line, its IPA with a space after each of espeak-ng's phones.
# Of a sentence: its IPA with stress marks, and a space after each word.
set -euo pipefail
apart=(--phone-separator ' ' --word-separator '')
switches=remove-flags
if [ "${1:-}" = --flags ]; then
  switches=keep-flags
  shift
elif [ "${1:-}" = --sentences ]; then
  apart=(--with-stress --phone-separator '' --word-separator ' ')
  shift
fi
[ $# -eq 1 ] || { echo "usage: $0 [--sentences|--flags] VOICE < words > ipa, or $0 --voices" >&2; exit 2; }
bin=$(dirname "$(command -v python)")
PHONEMIZER_ESPEAK_LIBRARY=$(python -c 'import espeakng_loader as e; print(e.get_library_path())')
ESPEAK_DATA_PATH=$(python -c 'import espeakng_loader as e; print(e.get_data_path())')
export PHONEMIZER_ESPEAK_LIBRARY ESPEAK_DATA_PATH
[ "$1" != --voices ] || exec "$bin/phonemize" --backend espeak --list-languages
exec "$bin/phonemize" --quiet --backend espeak --language "$1" --preserve-empty-lines \
  --language-switch "$switches" "${apart[@]}"
