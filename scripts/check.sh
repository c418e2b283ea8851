#!/usr/bin/env bash
# Builds and generates, and fails when what is committed is not what the sources give.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/node_modules/.bin:$PATH"

bash scripts/build.sh
drift=$(git status --porcelain -- dist action.yml '*/action.yml' README.md docs/FORMAT.md docs/METRICS.md src/tool.ts)
if [ -n "$drift" ]; then
  printf 'These files are not what the sources give. Run `npm run build` and commit them:\n%s\n' "$drift" >&2
  exit 1
fi
