#!/usr/bin/env bash
# Prints the entry of CHANGELOG.md for a tag: `release-notes.sh v1.2.3`. Fails when there is none.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

notes=$(awk -v heading="## ${1#v}" '$0 == heading { on = 1; next } /^## / { on = 0 } on' CHANGELOG.md)
if [ -z "${notes//[[:space:]]/}" ]; then
  echo "CHANGELOG.md has no entry \"## ${1#v}\"." >&2
  exit 1
fi
printf '%s\n' "$notes"
