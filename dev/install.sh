#!/usr/bin/env bash
# Makes .venv from requirements.lock, every package checked by its hash. Needs Python 3.11 or later and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "onggi: needs Python 3.11 or later; $("$python" --version) was found. Set PYTHON=/path/to/python3." >&2
  exit 1
fi

if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
  # Debian keeps these two apart from Python itself.
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "onggi: installing Debian's python3-venv"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
  else
    echo "onggi: this Python has no venv. Ask an administrator for: apt-get install python3-venv" >&2
    exit 1
  fi
fi

echo "onggi: installing locked packages into .venv (about a minute, once)"
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
touch .venv/.installed
