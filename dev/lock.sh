#!/usr/bin/env bash
# Makes requirements.lock anew: the newest versions that pyproject.toml admits, for every platform, each with its hashes.
set -euo pipefail
cd "$(dirname "$0")/.."
tool="$(mktemp -d)"
trap 'rm -rf "$tool"' EXIT
"${PYTHON:-python3}" -m venv "$tool"
"$tool/bin/pip" install --quiet --disable-pip-version-check uv
{
  echo "# Every package that Onggi runs, tests and builds with, locked by hash. Made by \`make lock\` from pyproject.toml."
  "$tool/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
    --no-header --group pyproject.toml:dev pyproject.toml
} > "$tool/requirements.lock"
mv "$tool/requirements.lock" requirements.lock
