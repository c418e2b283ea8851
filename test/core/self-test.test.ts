import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { readCatalog } from '../../src/core/catalog.ts';
import { compareFacts } from '../../src/core/compare-facts.ts';
import type { Facts } from '../../src/core/facts.ts';
import { type Manifest, writeManifest } from '../../src/core/manifest.ts';
import { finding } from '../../src/core/report.ts';
import { type Examiners, examiners, selfTest } from '../../src/core/self-test.ts';
import { describeTrials } from '../../src/core/self-test-report.ts';
import { judgeTrial, notCovered, type Trial } from '../../src/core/self-test-trial.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { zstd } from '../../src/sys/zstd.ts';
import { artifactOf, fakeWorld, idAt, manifestOf } from '../fixtures.ts';
import { emptyFacts } from './empty-facts.ts';

const facts: Facts = { ...emptyFacts, tables: [{ name: 'public.orders', rows: 3 }] };
const totals = { databaseBytes: 10_000, tables: 1, rows: 3, schemaObjects: 0 };
const world = fakeWorld({}, '2026-11-22', { compression: zstd(process.env) });
const packed = (bytes: Buffer) => buffer(zstd(process.env).compress(Readable.from([bytes]), 3));

/** A self-test of a sound backup of two artifacts, by parts of a drill of which some may be blind. */
async function run(blind: Partial<Examiners> = {}, among: { older?: 'same' | 'other' } = {}) {
  const store = memoryStore({ location: 'memory:a?http://127.0.0.1:9000' });
  if (among.older !== undefined) await putBackup(store, '2026-11-20', among.older === 'same' ? 'rows' : 'other rows');
  const manifest = await putBackup(store, '2026-11-21', 'rows');
  const before = store.calls.get;
  const catalog = await readCatalog(store, 'orders');
  const backup = catalog.at(-1);
  if (backup === undefined) throw new Error('no backup');
  const chosen = { backup, manifest, sha256: '', skipped: [] };
  const plan = { identity: '', copies: { store, chosen, others: [], holders: [store], catalog, findings: [] } };
  const comparison = { sameMajor: true, scope: 'full' } as const;
  const outcome = { expected: facts, found: facts, given: comparison, tampered: [] };
  const { findings, tables } = await selfTest({ plan, outcome, examiners: { ...examiners, ...blind }, world });
  const rows = tables[0]?.rows ?? [];
  return { findings, rows, reads: store.calls.get - before, damages: (result: string) => damagesOf(rows, result) };
}

function damagesOf(rows: readonly (readonly string[])[], result: string): string[] {
  return rows.filter((row) => row[3]?.startsWith(result)).map(([damage = '']) => damage);
}

async function putBackup(store: ReturnType<typeof memoryStore>, moment: string, rows: string): Promise<Manifest> {
  const takenAt = new Date(`${moment}T00:00:00Z`);
  const [dump, told] = [await packed(Buffer.from(rows)), await packed(Buffer.from(JSON.stringify(facts)))];
  const artifacts = [
    artifactOf('database.dump.zst', dump),
    { ...artifactOf('facts.json.zst', told), role: 'facts' as const, format: 'json' as const },
  ];
  const id = idAt(takenAt);
  const manifest = { ...manifestOf({ source: 'orders', id, scope: 'full', artifacts, takenAt }), totals };
  store.overwrite(`orders/${id}/database.dump.zst`, dump);
  store.overwrite(`orders/${id}/facts.json.zst`, told);
  store.overwrite(`orders/${id}/manifest.json`, Buffer.from(writeManifest(manifest)));
  return manifest;
}

it('finds every damage to stored bytes, manifest and facts', async () => {
  const { findings, rows, damages } = await run();
  expect(damages('missed')).toEqual([]);
  expect(damages('found')).toHaveLength(rows.length - 1);
  expect(damages('not covered')).toEqual(['totals.databaseBytes of the manifest is one more']);
  expect(findings.map(({ status }) => status)).toEqual(['pass', 'pass']);
  expect(findings[0]?.numbers).toEqual({ damages: 21, found: 20, notCovered: 1 });
});

it('reads an artifact for its own damages only, and twice at most for each', async () => {
  const { reads } = await run();
  // Two artifacts, each: flipped, two cuts, boundary, exchange, and once the head; the rest is the manifest's.
  expect(reads).toBeLessThanOrEqual(2 * (2 * 5 + 1) + 8);
});

const passing = [finding('artifact-fetched', 'pass', 'All is well.')];

it.each<{ what: string; blind: Partial<Examiners>; missed: string[] }>([
  {
    what: 'a fetch that does not look at facts',
    blind: {
      fetch: async (plan, given) =>
        plan.copies.chosen.manifest.artifacts[0]?.role === 'facts' ? passing : examiners.fetch(plan, given),
    },
    missed: [
      ...['is missing', 'has one bit of its middle byte flipped', 'lost its last byte', 'is cut in the middle'],
      ...['is cut at the end of zstd block 1', 'is cut to nothing', 'is database.dump.zst'],
    ].map((what) => `facts.json.zst ${what}`),
  },
  {
    what: 'a fetch that compares sizes only',
    blind: {
      fetch: async (plan, given) => {
        const found = await examiners.fetch(plan, given);
        return found.some(({ message }) => message.includes('has SHA-256')) ? passing : found;
      },
    },
    missed: ['database.dump.zst has one bit of its middle byte flipped'],
  },
  {
    what: 'a fetch that names nothing',
    blind: { fetch: async () => [finding('artifact-corrupt', 'fail', 'Something is wrong.')] },
    missed: ['database.dump.zst is missing'],
  },
  {
    what: 'a choice that reads any format',
    blind: { choose: async (...given) => ({ ...(await examiners.choose(...given)), findings: [] }) },
    missed: ['the manifest is of format 2'],
  },
  {
    what: 'totals that nobody compares',
    blind: { totals: () => finding('manifest-totals', 'pass', 'Fine.') },
    missed: ['totals.rows of the manifest is one more', 'totals.schemaObjects of the manifest is one more'],
  },
  {
    what: 'rows that nobody compares',
    blind: { compare: (...given) => compareFacts(...given).filter(({ rule }) => rule !== 'facts-tables') },
    missed: ['the row count of one table in the facts is one more, under a manifest that agrees'],
  },
])('fails with $what, and says which damage it overlooked', async ({ blind, missed }) => {
  const { findings, damages } = await run(blind);
  expect(damages('missed')).toEqual(expect.arrayContaining(missed));
  const failed = findings.filter(({ status }) => status === 'fail').map(({ message }) => message);
  for (const damage of missed) expect(failed.some((message) => message.includes(damage))).toBe(true);
  expect(findings.some(({ numbers }) => numbers?.found !== undefined)).toBe(false);
});

it('does not know what it could not try', async () => {
  const broken = async () => {
    throw new Error('no answer');
  };
  const { findings, damages } = await run({ fetch: broken });
  expect(damages('not known')).toHaveLength(2);
  expect(findings[0]).toMatchObject({ status: 'unknown', message: expect.stringContaining('no answer') });
});

it('takes an artifact of another backup only where that would be damage', async () => {
  const other = await run({}, { older: 'other' });
  expect(other.damages('found').join()).toContain(`database.dump.zst is database.dump.zst of ${idAt('2026-11-20')}`);
  const same = await run({}, { older: 'same' });
  expect(same.damages('found')).toContain('database.dump.zst is facts.json.zst');
});

const expected = [{ rule: 'facts-schema', names: 'table public.a' }] as const;

it.each([
  { found: finding('facts-schema', 'fail', '1 difference: table public.a is missing.'), result: 'found' },
  { found: finding('facts-schema', 'fail', '1 difference: table public.ab is missing.'), result: 'missed' },
  { found: finding('facts-schema', 'warn', '1 difference: table public.a is missing.'), result: 'missed' },
  { found: finding('facts-tables', 'fail', '1 difference: table public.a is missing.'), result: 'missed' },
  { found: finding('facts-schema', 'pass', 'table public.a is there.'), result: 'missed' },
])('takes for found only what the right rule fails and names: $found', ({ found, result }) => {
  expect(judgeTrial({ damage: 'a', path: '', expect: expected }, [found]).result).toBe(result);
});

it('needs every rule that a damage must break', () => {
  const expect_ = [...expected, { rule: 'facts-tables', names: 'table public.a' } as const];
  const found = finding('facts-schema', 'fail', '1 difference: table public.a is missing.');
  expect(judgeTrial({ damage: 'a', path: '', expect: expect_ }, [found])).toMatchObject({
    result: 'missed',
    foundBy: 'facts-schema',
  });
});

it('warns of what other facts would hold, lists what the database has none of, and passes neither', () => {
  const found: Trial = { damage: 'a', path: '', expected: '', foundBy: '', result: 'found' };
  const none = notCovered('a dropped trigger', 'the database has no trigger');
  const level = notCovered('a changed value', 'counts hold no values', { byLevel: true });
  expect(describeTrials([found, none], 'counts').map(({ status }) => status)).toEqual(['pass', 'pass']);
  const [pass, blind, absent] = describeTrials([found, none, level], 'counts');
  expect(pass).toMatchObject({ status: 'pass', numbers: { damages: 3, found: 1, notCovered: 2 } });
  expect(blind).toMatchObject({ status: 'warn', hint: expect.stringContaining('facts: fingerprints') });
  expect(blind?.message).toContain('shown to be found: a changed value (counts hold no values).');
  expect(absent).toMatchObject({ status: 'pass', message: expect.stringContaining('a dropped trigger (the database') });
  expect(describeTrials([none], 'counts')[0]).toMatchObject({ status: 'unknown' });
});

it('uses the parts of the drill itself', () => {
  const names = Object.values(examiners).map(({ name }) => name);
  expect(names).toEqual(['fetchCopy', 'chooseCopies', 'judgeTotals', 'compareFacts']);
});
