import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Setup, urlSecretOf } from '../../src/core/setup.ts';
import { workflowFiles } from '../../src/core/workflow-files.ts';
import { problemsOf, Workflow } from '../workflows/examples.ts';

const setup: Setup = {
  source: 'shop-eu',
  stores: ['s3://backups-of-shop/live?region=eu-west-3'],
  region: 'eu-west-3',
  recipients: ['age1one'],
  principal: 'arn:aws:iam::444455556666:role/shop-lifeboat',
  runsOn: ['self-hosted', 'linux', 'db'],
  schedule: '5 2 * * *',
  keep: [
    ['keep-last', '3'],
    ['keep-within', '1y2mo'],
  ],
  timeZone: 'Asia/Tokyo',
  role: 'lifeboat',
};

const variants: [string, Partial<Setup>][] = [
  ['a bucket with sessions', {}],
  ['two stores and two keys', { stores: [...setup.stores, 'file:///srv/backups'], recipients: ['age1one', 'age1two'] }],
  ['a folder alone', { stores: ['file:///srv/backups'] }],
  ['users with keys', { principal: 'arn:aws:iam:::user/lifeboat', stores: ['s3://b?endpoint=https://s3.example'] }],
  ['no encryption', { recipients: [] }],
  ['no pruning', { keep: [] }],
];

const all = variants.flatMap(([name, changes]) => {
  const given = { ...setup, ...changes };
  return workflowFiles(given).map(({ path, text }) => ({ name, path, text, given }));
});

describe.each(all)('$path for $name', ({ text, given, path }) => {
  it("is accepted by GitHub's language service, with the inputs of our actions", async () => {
    expect(await problemsOf(text)).toEqual([]);
    expect(() => Workflow.parse(parse(text))).not.toThrow();
  });

  it('holds nothing of the example', () => {
    const source = text.replaceAll('OWNER/lifeboat', '');
    expect(source).not.toMatch(/\borders\b|orders-wallets|acme-backups|111122223333|ORDERS_|age1-put|To use it|Berlin/);
    expect(text.startsWith('# ')).toBe(true);
    expect(text).toContain('\n# Written by `lifeboat init`.');
  });

  it('holds what was given', () => {
    const { env, jobs } = Workflow.parse(parse(text));
    expect(env.LIFEBOAT_STORE?.trim().split('\n')).toEqual(given.stores);
    if (env.LIFEBOAT_AGE_RECIPIENTS !== undefined)
      expect(env.LIFEBOAT_AGE_RECIPIENTS.trim().split('\n')).toEqual(given.recipients);
    for (const job of Object.values(jobs)) {
      expect(job['runs-on']).toEqual(given.runsOn);
      const isBucket = given.stores.some((store) => store.startsWith('s3:'));
      const isRole = isBucket && given.principal.includes(':role/');
      expect(job.permissions['id-token']).toBe(isRole ? 'write' : undefined);
      expect(job.steps.some(({ uses }) => uses.startsWith('aws-actions/'))).toBe(isBucket);
    }
    expect(text.includes('age-identity:')).toBe(given.recipients.length > 0 && /drill|restore/.test(path));
  });
});

it('prunes by the keep rules that were given, and tells the doctor of them', () => {
  const texts = Object.fromEntries(
    workflowFiles(setup).map(({ path, text }) => [path.replace(/.*lifeboat-/, ''), text]),
  );
  for (const name of ['drill-and-prune.yml', 'doctor.yml']) {
    expect(texts[name]).toContain('          keep-last: 3\n          keep-within: 1y2mo\n');
    expect(texts[name]).not.toContain('keep-daily');
  }
  expect(texts['drill-and-prune.yml']).toContain('time-zone: Asia/Tokyo');
  expect(texts['backup.yml']).toContain("    - cron: '5 2 * * *'\n");
  expect(texts['backup.yml']).toContain('role-to-assume: arn:aws:iam::444455556666:role/shop-lifeboat-backup');
  expect(texts['backup.yml']).toContain('aws-region: eu-west-3');
  expect(workflowFiles({ ...setup, keep: [] }).map(({ path }) => path)).toContain(
    '.github/workflows/lifeboat-drill.yml',
  );
});

it.each([
  ['orders', 'ORDERS_DATABASE_URL'],
  ['shop-eu', 'SHOP_EU_DATABASE_URL'],
  ['2nd', 'DB_2ND_DATABASE_URL'],
  ['github_x', 'DB_GITHUB_X_DATABASE_URL'],
])('names the secret of %s %s', (source, secret) => {
  expect(urlSecretOf(source)).toBe(secret);
});
