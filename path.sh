#!/usr/bin/env bash
# The environment: every script sources it. The first time it makes .venv, with Python packages
# at fixed versions, without root. Later it only sets variables.

CASCADE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

# Debian keeps pip in a package of its own. Unpacked, it runs as it is.
cascade_fetch_pip() { # cascade_fetch_pip DIR: leaves pip's wheel below DIR
  mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
  (
    cd "$1" || exit 1
    apt=(-qq -o "Dir::State::lists=$1/lists" -o "Dir::Cache=$1/cache" -o Debug::NoLocking=1)
    apt-get "${apt[@]}" update && apt-get "${apt[@]}" download python3-pip-whl &&
      dpkg-deb -x python3-pip-whl_*.deb .
  )
}

cascade_wanted() { # what .venv must be of: two files, and where it is, which its scripts hold
  cat "$CASCADE_ROOT"/{pyproject.toml,constraints.txt}
  echo "$CASCADE_ROOT"
}

cascade_ready() {
  [ -x "$CASCADE_ROOT/.venv/bin/python" ] && cascade_wanted | cmp -s - "$CASCADE_ROOT/.venv/.complete"
}

cascade_make_venv() ( # makes CASCADE_ROOT/.venv, or brings it up to date
  venv=$CASCADE_ROOT/.venv python=${PYTHON:-python3}
  exec 9<"$CASCADE_ROOT"
  flock --nonblock 9 || {
    echo "path.sh: waiting for another run, which installs Python packages" >&2
    flock 9
  }
  cascade_ready && return
  "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || {
    echo "path.sh: $python is not Python 3.11 or 3.12. Name one: export PYTHON=python3.11" >&2
    return 1
  }
  echo "path.sh: installing Python packages into $venv; a minute or more, once" >&2
  if ! [ -x "$venv/bin/python" ] ||
    { [ -e "$venv/.complete" ] && [ "$(tail -n 1 "$venv/.complete")" != "$CASCADE_ROOT" ]; }; then
    rm -rf "$venv" # its Python is gone, or it was made for another place
  fi
  if "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv "$venv" || return 1
  else
    echo "path.sh: $python comes without pip; fetching Debian's" >&2
    if ! "$python" -m venv --without-pip "$venv" || ! cascade_fetch_pip "$venv/pip"; then
      echo "path.sh: could not get pip. Install python3-venv, and run again." >&2
      return 1
    fi
    PYTHONPATH=$(echo "$venv"/pip/usr/share/python-wheels/pip-*.whl) \
      "$venv/bin/python" -m pip install --quiet pip || return 1
    rm -rf "$venv/pip"
  fi
  "$venv/bin/python" -m pip install --disable-pip-version-check --progress-bar off --quiet \
    --constraint "$CASCADE_ROOT/constraints.txt" --editable "${CASCADE_ROOT}[train,serve,cluster,dev]" >&2 || {
    echo "path.sh: pip could not install the packages; see above, and run again." >&2
    return 1
  }
  cascade_wanted >"$venv/.complete"
)

cascade_ready || cascade_make_venv || return 1 # installed already, or now

export PATH="$CASCADE_ROOT/.venv/bin:$PATH"
export PYTHONPATH="$CASCADE_ROOT" PYTHONSAFEPATH=1 # nothing from the working folder
export LC_ALL=C.UTF-8 PYTHONUTF8=1
# One thread a process: two processes of one thread get more done than one of two.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# Batches of any length make as many kernels; keeping a thousand takes a gigabyte and no less time.
export ONEDNN_PRIMITIVE_CACHE_CAPACITY=64
