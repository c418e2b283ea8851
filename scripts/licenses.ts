/**
 * Writes dist/licenses.txt: the licence of every package whose code is in the bundle, from webpack's
 * list of modules. (ncc's own list leaves out what webpack has joined into one module.)
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Module {
  readonly name?: string;
  readonly modules?: readonly Module[];
}

const stats = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Module;
const folders = new Set(namesOf(stats).flatMap((name) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(name) ?? []));
if (folders.size === 0) throw new Error('No package is in the bundle, which cannot be.');

const entries = [...folders].sort().map((folder) => {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>;
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  return [`${about.name} ${about.version} (${about.license})`, ...texts].join('\n\n');
});
writeFileSync('dist/licenses.txt', `${entries.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);

function namesOf({ name = '', modules = [] }: Module): string[] {
  return [name, ...modules.flatMap(namesOf)];
}
