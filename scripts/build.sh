#!/usr/bin/env bash
# Compiles src/ to lib/ and bundles lib/ to dist/: what a runner executes, without npm.
set -euo pipefail
# ncc names modules by their path from here; from elsewhere the same sources give another bundle.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/node_modules/.bin:$PATH"

rm -rf lib
node scripts/generate.ts
tsc -p tsconfig.json
rm -rf dist
# Not minified: a reviewer reads the difference of dist, and one line of source stays a few lines of it.
ncc build lib/index.js --out dist --target es2022 --no-cache --quiet --stats-out lib/stats.json
node scripts/licenses.ts lib/stats.json
# ncc copies package.json's type as a file of its own; the bundle must be ESM wherever it is unpacked.
printf '{\n  "type": "module"\n}\n' > dist/package.json

stub() {
  printf "import { %s } from './index.js';\n\nawait %s;\n" "$2" "$3" > "dist/$1.js"
}
for folder in */action.yml; do
  name=${folder%/action.yml}
  stub "$name" main "main('$name')"
done
stub command main 'main()'
stub post post 'post()'
stub cli cli 'cli(process.argv.slice(2))'
