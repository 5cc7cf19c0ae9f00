#!/usr/bin/env bash
# Trains and compares the systems of a recipe, stage by stage.
#   e.g.: ./run.sh                                  all stages of recipes/ru_en
#         ./run.sh --stage 4 --stop-stage 5         decode and score again
#         ./run.sh --recipe mini --train.steps 100  another recipe, with a key changed
#         ./run.sh --sweep target_minutes=5,15,40,all --seeds 3   a curve over minutes
set -euo pipefail

usage() { # also the help of `cascade run`
  cat <<'USAGE'
Usage: ./run.sh [--recipe NAME] [--stage N] [--stop-stage M] [--nj J] [--gpus N]
                [--dask ADDRESS | --cluster KIND] [--cluster-training]
                [--exp DIR] [--folder DIR] [--force] [--dry-run] [--check] [--systems A,B]
                [--KEY VALUE ...]
                [--sweep KEY=VALUE,... | --search KEY=VALUE,... ...] [--seeds N] [--add]
  --recipe NAME    a folder of recipes/, or a .yaml or .json file        (ru_en)
  --stage N        the first stage                                       (0)
  --stop-stage M   the last stage                                        (6)
  --nj J           processes at once                                     (one a core)
  --gpus N         train each system on N GPUs, or in N processes        (one)
                   where there is no GPU; a batch is N times as large
  --dask ADDRESS   stages 0, 2 and 4 on the workers of this Dask scheduler
  --cluster KIND   the same on workers started by slurm, pbs, sge, lsf or
                   ssh: cluster.yaml says how many
  --cluster-training  these workers train, too: each has a system of the
                   recipe, or a complete point of a sweep or search
  --exp DIR        the folder of experiments; this one is in DIR/NAME    (exp)
  --folder DIR     the folder of this experiment, in place of DIR/NAME
  --force          run stages that are up to date, too
  --dry-run        say which stages would run, and why; run none
  --check          check every utterance of the recipe (stage 0), and stop
  --systems A,B    only these systems of the recipe
  --sweep KEY=...  a run for each value of a key and each of N seeds, J at once, all in
                   DIR/NAME/sweep/. Figures and a curve: recipes/NAME/sweep.json, SWEEP.md,
                   sweep.svg
  --search KEY=... train every system with each value of a key of train, without decoding a
                   test set. Several --search: with every combination. Error rates on valid
                   and each system's best values: recipes/NAME/SEARCH.md
  --add            keep the values that the sweep in recipes/NAME has, and this one lacks
  --seeds N        how many seeds a sweep or a search has                (1)
  --KEY VALUE      any key of the recipe: --target_minutes all --train.steps 2000
Stages: 0 corpora and cuts, 1 pronunciations, language model, graph, 2 features,
        3 training, 4 decoding, 5 scoring, 6 report, 7 bundle
USAGE
}

stage=0 stop_stage=6 options=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --force | --dry-run | --check | --add | --cluster-training) options+=("$1"); shift; continue ;;
    --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
    --*) [ $# -gt 1 ] || { echo "run.sh: the option $1 has no value" >&2; exit 1; } ;;
    *) echo "run.sh: unknown option '$1'; see ./run.sh --help" >&2; exit 1 ;;
  esac
  case $1 in
    --stage) stage=$2 ;;
    --stop-stage) stop_stage=$2 ;;
    *) options+=("$1" "$2") ;;
  esac
  shift 2
done

. "$(dirname "${BASH_SOURCE[0]}")/path.sh"
exec python -m cascade run --stage "$stage" --stop-stage "$stop_stage" "${options[@]}"
