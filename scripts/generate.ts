/**
 * Writes what is generated from the schemas of the actions: action.yml files, the tables of the
 * README, of CLI.md, FORMAT.md and METRICS.md, what `lifeboat init` writes from, and the version. CI runs it again and fails when something changed.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { actions } from '../src/actions/index.ts';
import { type Actions, actionFile, actionsTable, inputsTable, outputsTable, rootFile } from './action-files.ts';
import { fillCommands } from './commands-table.ts';
import { fillFormat } from './format-tables.ts';
import { fillMetrics } from './metrics-table.ts';
import { setupTemplates } from './setup-templates.ts';

const root = new URL('../', import.meta.url);

const all: Actions = actions;

writeVersion();
for (const [path, text] of Object.entries(setupTemplates())) write(path, text);
write('action.yml', rootFile(all));
for (const [name, action] of Object.entries(all)) {
  mkdirSync(new URL(`${name}/`, root), { recursive: true });
  write(`${name}/action.yml`, actionFile(name, action));
}
write('README.md', fillMarkers(read('README.md')));
write('docs/FORMAT.md', fillFormat(read('docs/FORMAT.md')));
write('docs/CLI.md', fillCommands(read('docs/CLI.md')));
write('docs/METRICS.md', fillMetrics(read('docs/METRICS.md')));

function writeVersion(): void {
  const { name, version } = JSON.parse(read('package.json')) as { name: string; version: string };
  const code = `export const tool = { name: '${name}', version: '${version}' } as const;`;
  write('src/tool.ts', `// Generated from package.json by scripts/generate.ts.\n${code}\n`);
}

/** Replaces what stands between `<!-- inputs backup -->` and `<!-- end -->`. */
function fillMarkers(text: string): string {
  const tables: Record<string, (action: Actions[string]) => string> = { inputs: inputsTable, outputs: outputsTable };
  return text.replaceAll(/(<!-- (actions|inputs|outputs)(?: ([a-z-]+))? -->\n)[\s\S]*?(<!-- end -->)/g, (...parts) => {
    const [, open, what, name, close] = parts as string[];
    const action = all[name ?? ''];
    const table = what === 'actions' ? actionsTable(all) : action && tables[what ?? '']?.(action);
    if (table === undefined) throw new Error(`README.md asks for ${what} of ${name}, which is no action.`);
    return `${open}\n${table}\n\n${close}`;
  });
}

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

/** Leaves a file alone that is right already, so that builds do not touch times. */
function write(path: string, text: string): void {
  const url = new URL(path, root);
  if (existsSync(url) && readFileSync(url, 'utf8') === text) return;
  writeFileSync(url, text);
  process.stdout.write(`wrote ${path}\n`);
}
