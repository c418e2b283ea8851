import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { validate } from '@actions/languageservice';
import { expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parse } from 'yaml';
import { root } from './source-files.ts';

const workflows = globSync(join(root, '.github/workflows/*.yml')).map((path) => ({
  name: relative(root, path),
  text: readFileSync(path, 'utf8'),
}));

it.each(workflows)('$name is a workflow that GitHub accepts', async ({ name, text }) => {
  const document = TextDocument.create(`file:///${name}`, 'yaml', 1, text);
  expect((await validate(document)).map(({ message }) => message)).toEqual([]);
});

it('notices a workflow that GitHub would not accept', async () => {
  const broken = 'on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: echo ${{ nope.x }}\n';
  const problems = await validate(TextDocument.create('file:///.github/workflows/x.yml', 'yaml', 1, broken));
  expect(problems.map(({ message }) => message)).toEqual(["Unrecognized named-value: 'nope'"]);
});

it.each(workflows)('$name pins what others wrote by a full commit, with its version beside it', ({ text }) => {
  const uses = [...text.matchAll(/uses: *(\S+)(.*)/g)].filter(([, action = '']) => !action.startsWith('./'));
  expect(uses.length).toBeGreaterThan(0);
  for (const [line] of uses) expect(line).toMatch(/uses: [\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

it.each(workflows)('$name may only read unless a job says otherwise, and every job ends', ({ text }) => {
  const { permissions, jobs } = parse(text) as {
    permissions: unknown;
    jobs: Record<string, { 'timeout-minutes'?: number }>;
  };
  expect(permissions).toEqual({ contents: 'read' });
  for (const job of Object.values(jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0);
});
