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

# An older Node ends in the middle of the bundle, without a word and green. So its version comes first, in words that it
# can read: a static import or an `await` out here would be too late or too new.
stub() { # name, what it calls, exit status without a verdict
  cat > "dist/$1.js" <<STUB
if (parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    'lifeboat: Node ' + process.versions.node + ' is too old. ' +
      'Run this with Node 24 or newer, or start bin/lifeboat, which looks for one.\n'
  );
  process.exitCode = $3;
} else {
  // Until there is a verdict: whatever ends this early is red.
  process.exitCode = $3;
  let isOver = false;
  process.on('beforeExit', () => {
    if (!isOver) process.stderr.write('lifeboat: This is a bug in Lifeboat: it ended before its work did. Report it.\n');
  });
  import('./index.js').then((lifeboat) => lifeboat.$2).then(
    () => {
      isOver = true;
    },
    (error) => {
      console.error(error);
      process.exit($3);
    }
  );
}
STUB
}
for folder in */action.yml; do
  name=${folder%/action.yml}
  stub "$name" "main('$name')" 1
done
stub command 'main()' 1
stub post 'post()' 1
stub cli 'cli(process.argv.slice(2))' 2
