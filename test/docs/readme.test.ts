import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Action, actions } from '../../src/actions/index.ts';
import { Failure } from '../../src/core/failure.ts';
import { rules } from '../../src/core/rules.ts';
import { explain } from '../../src/engines/postgresql/explain.ts';
import { variableOf } from '../../src/github/environment.ts';
import { describeInputs } from '../../src/github/inputs.ts';
import { commonOutputs } from '../../src/github/outputs.ts';
import { parseStoreUrl } from '../../src/stores/store-url.ts';
import { root } from '../house/source-files.ts';
import { problemsOf, repository } from '../workflows/examples.ts';
import {
  anchorsOf,
  blocksIn,
  documents,
  localLinksOf,
  proseOf,
  readDocument,
  resolveLink,
  sectionOf,
} from './documents.ts';
import { fillSummaries } from './summaries.ts';

const readme = readDocument('README.md');
const all = Object.values<Action>(actions);
const inputs = all.flatMap((action) => describeInputs(action.inputs));

describe('the first workflow', () => {
  const [workflow = ''] = blocksIn(readme, 'yaml');

  it('has fifteen lines', () => {
    expect(workflow.trimEnd().split('\n')).toHaveLength(15);
  });

  it("is accepted by GitHub's language service, with the inputs of the action", async () => {
    expect(workflow).toContain(`uses: ${repository}/backup@v1`);
    expect(await problemsOf(workflow)).toEqual([]);
    expect(await problemsOf(workflow.replace('store:', 'stor:'))).not.toEqual([]);
  });
});

it('shows the summaries of real runs as the program writes them today', () => {
  expect(readme.text).toBe(fillSummaries(readme.text));
  expect(readme.text).toContain('> ## ❌ fail: Restore drill of shop: backup disproven');
  expect(readme.text).toContain('> ## ✅ pass: Restore drill of shop: backup proven');
});

describe.each(documents)('$path', (document) => {
  it('links only to what is there', () => {
    const broken = localLinksOf(document).filter((link) => {
      const { path, anchor } = resolveLink(link);
      if (!existsSync(join(root, path))) return true;
      return anchor !== '' && !anchorsOf(readDocument(path)).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names only environment variables that are read', () => {
    const named = new Set(document.text.match(/\bLIFEBOAT_[A-Z_]+\b/g));
    const known = inputs.filter(({ env }) => env).map(({ name }) => variableOf(name));
    expect([...named].filter((name) => !known.includes(name) && !name.startsWith('LIFEBOAT_TEST_'))).toEqual([]);
  });
});

/** Words between backquotes that look like inputs and are names of something else. */
const OTHERS = [
  /^(aws-actions|role-to-assume|role-duration-seconds|timeout-minutes|id-token|cancel-in-progress|self-hosted)$/,
  /^(path-style|storage-class|sse-kms-key-id|object-lock|max-parts)$/,
  /^(age-keygen|locale-gen|prune-after-drill|workflows-examples|acme-backups|orders-wallets)$/,
];

it.each([readme, readDocument('docs/S3.md')])(
  '$path names only inputs, outputs, rules and actions that exist',
  (document) => {
    const known = new Set([
      ...inputs.flatMap(({ name, values }) => [name, ...values]),
      ...all.flatMap(({ outputs }) => Object.keys(outputs)),
      ...Object.keys(commonOutputs),
      ...Object.keys(rules),
      ...Object.keys(actions),
    ]);
    const names = codesIn(proseOf(document)).flatMap((code) => /^([a-z]+(?:-[a-z]+)+)(?:$|:|=)/.exec(code)?.[1] ?? []);
    expect(names.length).toBeGreaterThan(5);
    const unknown = names.filter((name) => !known.has(name) && !OTHERS.some((other) => other.test(name)));
    expect([...new Set(unknown)]).toEqual([]);
  },
);

it('explains every parameter of a store URL, and no other', () => {
  const rows = sectionOf(readme, '### The store')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const shown = rows.flatMap((row) => codesIn(row.split('|')[1] ?? ''));
  const values: Record<string, string> = {
    region: 'eu-central-1',
    endpoint: 'https://s3.example.com',
    'max-parts': '1000',
  };
  values['storage-class'] = 'STANDARD_IA';
  values['sse-kms-key-id'] = 'key&sse=aws:kms';
  for (const code of shown) {
    const [name = '', value = values[name]] = code.split('=');
    expect(() => parseStoreUrl(`s3://bucket/prefix?${name}=${value}`)).not.toThrow();
  }
  const source = readFileSync(join(root, 'src/stores/store-url.ts'), 'utf8');
  const list = /const S3_PARAMETERS = \[([^\]]*)\]/.exec(source)?.[1]?.match(/[a-z0-9-]+/g) ?? [];
  expect(new Set(shown.map((code) => code.split('=')[0]))).toEqual(new Set(list));
});

describe('troubleshooting', () => {
  const items = sectionOf(readme, '## Troubleshooting')
    .split('\n')
    .filter((line) => line.startsWith('- '));
  const source = globSync('src/**/*.ts', { cwd: root })
    .map((path) => readFileSync(join(root, path), 'utf8').replaceAll(/^ *(\/\*\*|\*|\/\/).*$/gm, ''))
    .join('\n');

  it('says of each failure what to ensure', () => {
    expect(items.length).toBeGreaterThan(40);
    expect(items.filter((item) => !/: Ensure /.test(item))).toEqual([]);
  });

  const words = items.flatMap((item) => codesIn(item.split(': Ensure')[0] ?? ''));

  it.each(words)('%s is what the program says', (text) => {
    // Of a server or a library it is enough that the program knows what it means.
    const { code } = explain(new Failure('tool-failed', text));
    expect(code !== 'tool-failed' || source.includes(text) || isSaidOf(source, text)).toBe(true);
  });

  it('would notice words that nobody says', () => {
    const text = 'There is no such failure anywhere';
    expect(explain(new Failure('tool-failed', text)).code).toBe('tool-failed');
    expect(isSaidOf(source, text)).toBe(false);
  });
});

/** Whether a message of the sources gives this text, with anything in the place of its `${…}`. */
function isSaidOf(source: string, text: string): boolean {
  const messages = [...source.matchAll(/`((?:[^`\\]|\\.)*)`/g)].map(([, message = '']) => message);
  const [first = '', ...rest] = text.split(/\b(?:psql|pg_dump)\b/);
  return rest.length > 0 && messages.some((message) => message.includes(`${first}\${`));
}

function codesIn(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

it.each(['The database role'])('has the section that hints send people to: %s', (heading) => {
  const source = readFileSync(join(root, 'src/engines/postgresql/explain.ts'), 'utf8');
  expect(source).toContain(`README, "${heading}"`);
  expect(readme.text).toContain(`### ${heading}\n`);
});

it('lists what is proven, kept and guaranteed with the defaults that the program has', () => {
  const defaults = new Map(inputs.map(({ name, default: value }) => [name, value]));
  for (const [, name = '', value] of proseOf(readme).matchAll(/`([a-z-]+)` \((\d+%)\)/g)) {
    expect(`${name} ${defaults.get(name)}`).toBe(`${name} ${value}`);
  }
});
