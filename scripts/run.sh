#!/usr/bin/env bash
# `npm test` and `npm run demo` on a machine that has Node (18 or newer) and npm, and nothing else.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Everything else needs the servers of the tests.
case "$1" in
  demo) bash scripts/setup.sh demo || exit 1 ;;
  *) bash scripts/setup.sh test || exit 1 ;;
esac
export PATH="$PWD/node_modules/.bin:$PATH"

demo() {
  exec node scripts/demo.ts
}

test_all() {
  local counts failed=0
  bash scripts/build.sh || return 1
  # All of them, whatever the first says: one run shows everything that is wrong.
  biome check --error-on-warnings || failed=1
  tsc --noEmit -p tsconfig.test.json || failed=1
  counts=$(mktemp)
  vitest run --reporter=default --reporter=json --outputFile.json="$counts" || failed=1
  node scripts/test-counts.ts "$counts" || failed=1
  rm -f "$counts"
  return $failed
}

bench() {
  bash scripts/build.sh || return 1
  exec node test/bench/main.ts "$@"
}

scale() {
  bash scripts/build.sh || return 1
  exec node test/scale/main.ts "$@"
}

guards() {
  exec node test/guards/main.ts "$@"
}

soak() {
  bash scripts/build.sh || return 1
  exec node test/faults/soak.ts "$@"
}

case "$1" in
  demo) demo ;;
  bench) bench "${@:2}" ;;
  soak) soak "${@:2}" ;;
  scale) scale "${@:2}" ;;
  guards) guards "${@:2}" ;;
  test) test_all ;;
  *) echo "Usage: run.sh demo|test|bench|soak|scale|guards" >&2 && exit 2 ;;
esac
