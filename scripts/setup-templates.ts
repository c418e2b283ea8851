import { readFileSync } from 'node:fs';

/** Examples that `lifeboat init` fills in. */
const WORKFLOWS = ['doctor', 'freshness', 'nightly-backup', 'prune-after-drill', 'restore', 'weekly-drill'];
const POLICIES = ['backup', 'verify-freshness', 'restore-drill', 'restore', 'prune', 'doctor'];

const root = new URL('../', import.meta.url);

/** Sources with the text of examples and policies in them, by path: a bundle holds no other files. */
export function setupTemplates(): Record<string, string> {
  const workflows = WORKFLOWS.map((name) => {
    const from = `workflows-examples/${name}.yml`;
    return [`src/core/templates/${name}.ts`, moduleOf(from, { [camelCase(name)]: read(from) })];
  });
  const page = read('docs/S3.md');
  const policies = POLICIES.map((name) => [camelCase(name), blockAfter(page, `policy: ${name}`)]);
  const bucket = { ...Object.fromEntries(policies), lifecycle: blockAfter(page, 'lifecycle') };
  return {
    ...Object.fromEntries(workflows),
    'src/core/templates/bucket.ts': moduleOf('docs/S3.md', bucket),
  };
}

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

function blockAfter(page: string, marker: string): string {
  const block = new RegExp(`<!-- ${marker} -->\\n\`\`\`json\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (block === undefined) throw new Error(`docs/S3.md has no block after ${marker}.`);
  return block;
}

function moduleOf(from: string, texts: Readonly<Record<string, string>>): string {
  const constants = Object.entries(texts).map(([name, text]) => {
    const lines = text.split('\n').map((line) => `  ${quoted(line)},`);
    return `\nexport const ${name} = [\n${lines.join('\n')}\n].join('\\n');\n`;
  });
  return `// Generated from ${from} by scripts/generate.ts.\n${constants.join('')}`;
}

/** As the formatter writes it: with the quotes that need the fewer escapes. */
function quoted(line: string): string {
  const count = (quote: string) => line.split(quote).length - 1;
  const quote = count("'") > count('"') ? '"' : "'";
  return quote + line.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`) + quote;
}

function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
