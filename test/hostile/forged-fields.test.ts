import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { prune } from '../../src/actions/prune.ts';
import { restoreDrill } from '../../src/actions/restore-drill.ts';
import { verifyFreshness } from '../../src/actions/verify-freshness.ts';
import { Failure } from '../../src/core/failure.ts';
import { backupKey, MANIFEST } from '../../src/core/keys.ts';
import { type Manifest, writeManifest } from '../../src/core/manifest.ts';
import type { Engine, Scratch, Store, World } from '../../src/core/ports.ts';
import { pinKey } from '../../src/core/record-keys.ts';
import type { Report } from '../../src/core/report.ts';
import { renderText } from '../../src/core/report-text.ts';
import { renderSummary } from '../../src/github/summary.ts';
import { localStore } from '../../src/stores/local.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { emptyFacts } from '../core/empty-facts.ts';
import { artifactOf, at, fakeWorld, idAt, keysOf, manifestOf, putDrill } from '../fixtures.ts';
import { expectWellFormed } from './well-formed.ts';

const now = '2026-11-21T12:00:00Z';
const here = 'memory:';
/** The newest one. Two older ones, both drilled, stand beside it. */
const takenAt = '2026-11-21T03:00:00Z';

const everything = {
  server: { acl: ['=Tc/orders'], settings: [{ role: null, setting: 'work_mem=5MB' }], icuLocale: 'de', timeline: 1 },
  content: {
    tables: ['a'],
    excludeTables: ['b'],
    excludeTableData: ['c'],
    leftOut: [{ what: 'subscriptions', why: 'x' }],
  },
  findings: [{ rule: 'min-size', status: 'pass', message: 'm', numbers: { bytes: 1 }, subject: 's', hint: 'h' }],
  run: { url: 'https://x', repository: 'a/b', sha: 'c', actor: 'd', event: 'e', runner: 'f' },
  labels: { team: 'shop' },
} as const;

const facts = {
  ...emptyFacts,
  tables: [{ name: 'public.orders', rows: 3 }],
  materializedViews: [{ name: 'public.busy', populated: true }],
  sequences: [
    {
      name: 'public.s',
      increment: '1',
      cycle: false,
      before: { value: '1', isCalled: true },
      after: { value: '2', isCalled: true },
    },
  ],
  schema: [{ kind: 'table', identity: 'public.orders', digest: 'd' }],
  extensions: [{ name: 'plpgsql', version: '1.0', schema: 'pg_catalog' }],
  roles: [{ name: 'orders', attributes: ['LOGIN'], memberOf: [], settings: [] }],
  settings: [{ role: null, setting: 'work_mem=5MB' }],
  migration: { tool: 'alembic', table: 'public.alembic_version', newest: '1' },
};

/** A whole backup with facts and every field that a manifest may have. */
function put(store: MemoryStore, moment: string, factsText: string): Manifest {
  const id = idAt(moment);
  const stored = { 'database.dump.zst': Buffer.alloc(1_000, id), 'facts.json': Buffer.from(factsText) };
  const artifacts = [
    artifactOf('database.dump.zst', stored['database.dump.zst']),
    { ...artifactOf('facts.json', stored['facts.json']), role: 'facts', format: 'json', compression: 'none' } as const,
  ];
  const totals = { databaseBytes: 10_000, tables: 1, rows: 3, schemaObjects: 1 };
  const plain = manifestOf({ source: 'orders', id, scope: 'full', takenAt: at(moment), artifacts });
  const manifest = {
    ...plain,
    ...everything,
    server: { ...plain.server, ...everything.server },
    totals,
  } as unknown as Manifest;
  for (const [key, bytes] of Object.entries(stored)) store.overwrite(backupKey('orders', id, key), bytes, at(moment));
  store.overwrite(backupKey('orders', id, MANIFEST), Buffer.from(writeManifest(manifest)), at(moment));
  return manifest;
}

interface Forged {
  readonly store: MemoryStore;
  readonly newest: Manifest;
  /** Keys of the records of the newest. */
  readonly records: Readonly<Record<'manifest' | 'drill' | 'pin', string>>;
}

async function newStore(factsText = JSON.stringify(facts)): Promise<Forged> {
  const store = memoryStore({ location: here, now: () => at(now) });
  for (const moment of ['2026-11-19T03:00:00Z', '2026-11-20T03:00:00Z']) {
    await putDrill(store, put(store, moment, factsText), moment);
  }
  const newest = put(store, takenAt, factsText);
  const findings = [{ rule: 'rto', status: 'pass' as const, message: 'm', numbers: { restoreSeconds: 1 } }];
  const drill = await putDrill(store, newest, '2026-11-21T04:00:00Z', { findings, run: everything.run });
  const pin = pinKey('orders', idAt('2026-11-19T03:00:00Z'), null);
  const record = { format: 1, reason: 'audit', pinnedAt: takenAt, until: null, by: 'me' };
  store.overwrite(pin, Buffer.from(JSON.stringify(record)), at(takenAt));
  return { store, newest, records: { manifest: backupKey('orders', newest.id, MANIFEST), drill, pin } };
}

/** A server that takes everything and holds what the facts of the sound backup say. */
const scratch: Pick<Scratch, 'server' | 'version' | 'notIsolated' | 'restore' | 'readFacts' | 'keep'> = {
  server: 'own',
  version: '15.20',
  notIsolated: [],
  restore: async (open) => {
    await buffer(await open(artifactOf('database.dump.zst', Buffer.alloc(1_000, idAt(takenAt)))));
    return [];
  },
  readFacts: async () => facts as Awaited<ReturnType<Scratch['readFacts']>>,
  keep: async () => undefined,
};
const engine = {
  name: 'postgresql',
  removeLeftovers: async () => [],
  withScratch: (_: unknown, use: (lent: Scratch) => Promise<unknown>) => use(scratch as Scratch),
} as unknown as Engine;

function world(store: Store): World {
  const compression = { compress: () => Readable.from([]), decompress: (stored: Readable) => stored };
  // A drill tells its progress in intervals, until it ends.
  const sleep: World['sleep'] = (ms, signal) => delay(ms, undefined, { signal, ref: false }).catch(() => {});
  return fakeWorld({ [here]: store }, now, { openEngine: async () => engine, compression, sleep });
}

const actions = {
  verify: (store: Store) =>
    verifyFreshness({ store: here, source: 'orders', 'max-drill-age': '8d', 'min-backups': '1' }, world(store)),
  prune: (store: Store) => prune({ store: here, source: 'orders', 'keep-last': '1' }, world(store)),
  drill: (store: Store, backup = 'latest') => restoreDrill({ store: here, source: 'orders', backup }, world(store)),
};

/** What an action says: a report, or a failure that we can explain. Anything else is a bug. */
async function saidBy(action: Promise<Report>): Promise<Report | Failure> {
  const said = await action.catch((error: unknown) => {
    if (error instanceof Failure) return error;
    throw error;
  });
  if (said instanceof Failure) return said;
  expectWellFormed(renderSummary(said));
  return said;
}

async function saidByAll(store: Store): Promise<(Report | Failure)[]> {
  const said: (Report | Failure)[] = [];
  for (const action of Object.values(actions)) said.push(await saidBy(action(store)));
  return said;
}

type Path = readonly (string | number)[];

/** The way to every value in a record, to the record itself as well. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inside = Array.isArray(value) ? value.map((one, at) => [at, one] as const) : Object.entries(value);
  return [path, ...inside.flatMap(([name, one]) => pathsIn(one, [...path, name]))];
}

function replaced(value: unknown, [name, ...rest]: Path, by: unknown): unknown {
  if (name === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  copy[name] = replaced(copy[name], rest, by);
  return copy;
}

const strange = [null, [], {}, '1', -1, 1e300, '__proto__', '\n::error::x'];

/** Each value of a record replaced by each of the strange ones, and by any JSON. */
async function forEachForgery(text: string, use: (forged: string, where: string) => Promise<void>): Promise<void> {
  const record: unknown = JSON.parse(text);
  const paths = pathsIn(record);
  const write = (path: Path, by: unknown) =>
    use(JSON.stringify(replaced(record, path, by)), `${path.join('.')} = ${JSON.stringify(by)}`);
  for (const path of paths) for (const by of strange) await write(path, by);
  const any = fc.asyncProperty(fc.constantFrom(...paths), fc.jsonValue(), write);
  await fc.assert(any, { numRuns: 50 });
}

it('reads a manifest of any wrong types, or says that it is unreadable', async () => {
  const { store, newest, records } = await newStore();
  const sound = (await buffer(await store.get(records.manifest))).toString();
  const counted = { read: 0, unreadable: 0, drilled: 0 };
  await forEachForgery(sound, async (forged, where) => {
    const { store: spoiled } = await newStore();
    spoiled.overwrite(records.manifest, Buffer.from(forged), at(takenAt));
    const report = await saidBy(actions.verify(spoiled));
    if (report instanceof Failure) throw new Error(`${where}: ${report.message}`);
    const unreadable = report.findings.some(({ rule, status }) => rule === 'manifest-unreadable' && status === 'fail');
    counted[unreadable ? 'unreadable' : 'read'] += 1;
    // One of each place is enough of what nobody reads.
    if (unreadable && !where.endsWith(' = null')) return;
    const pruned = await saidBy(actions.prune(spoiled));
    expect(pruned, where).not.toBeInstanceOf(Failure);
    expect((pruned as Report).outputs.removed, where).not.toContain(newest.id);
    const drilled = await saidBy(actions.drill(spoiled, newest.id));
    if (unreadable) expect(drilled, where).toMatchObject({ code: 'backup-invalid' });
    else counted.drilled += 1;
  });
  expect(counted.unreadable).toBeGreaterThan(200);
  expect(counted.read).toBeGreaterThan(30);
  expect(counted.drilled).toBe(counted.read);
}, 120_000);

it('believes a record of a drill of any wrong types, or takes the drill for none', async () => {
  const { store, records } = await newStore();
  const sound = (await buffer(await store.get(records.drill))).toString();
  const ages = new Set<string>();
  await forEachForgery(sound, async (forged, where) => {
    const { store: spoiled } = await newStore();
    spoiled.overwrite(records.drill, Buffer.from(forged), at(takenAt));
    for (const action of [actions.verify, actions.prune]) {
      const report = await saidBy(action(spoiled));
      expect(report, where).not.toBeInstanceOf(Failure);
      for (const { rule, message } of (report as Report).findings) if (rule === 'drill-age') ages.add(message);
    }
  });
  // The age of this drill, and that of the one before.
  expect(ages.size).toBe(2);
}, 120_000);

it('keeps what is pinned, whatever is in the pin', async () => {
  const { store, records } = await newStore();
  const sound = (await buffer(await store.get(records.pin))).toString();
  await forEachForgery(sound, async (forged, where) => {
    const { store: spoiled } = await newStore();
    spoiled.overwrite(records.pin, Buffer.from(forged), at(takenAt));
    const report = await saidBy(actions.prune(spoiled));
    expect(report, where).not.toBeInstanceOf(Failure);
    const { kept = '', removed = '' } = (report as Report).outputs;
    expect([kept.includes(idAt('2026-11-19T03:00:00Z')), removed.includes(idAt('2026-11-20T03:00:00Z'))]).toEqual([
      true,
      true,
    ]);
  });
});

it('compares with facts of any wrong types, or says that they cannot be read', async () => {
  const proofs = new Set<string | undefined>();
  await forEachForgery(JSON.stringify(facts), async (forged, where) => {
    const { store } = await newStore(forged);
    const report = await saidBy(actions.drill(store));
    expect(report, where).not.toBeInstanceOf(Failure);
    proofs.add((report as Report).outputs.proof);
  });
  expect([...proofs].sort()).toEqual(['disproven', 'inconclusive', 'proven']);
}, 120_000);

const names = [
  'pin-2099\n::error::.json',
  'pin-<script>.json',
  'drills/<script>alert(1)<script>.json',
  `drills/${idAt(takenAt)}.pass.proven.json\n::error::x`,
  'drills/\r\n::add-mask::proven',
  'x|y',
  '`x`[a](http://evil.example)',
  '##[error]x',
  '\u202ex',
  '$(touch x)',
  '__proto__',
  'MANIFEST.JSON',
];

async function onDisk(from: Store): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'lbf-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const key of await keysOf(from)) {
    const path = join(folder, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, await buffer(await from.get(key)));
    utimesSync(path, at(takenAt), at(takenAt));
  }
  return localStore({ folder, location: here });
}

it.each([{ on: 'in memory' }, { on: 'on disk' }])(
  'takes names in a folder of a backup for names, $on',
  async ({ on }) => {
    const { store, newest } = await newStore();
    const before = await saidByAll((await newStore()).store);
    for (const name of names) store.overwrite(`orders/${newest.id}/${name}`, Buffer.from('{}'), at(takenAt));
    // A pin whose date nobody can read holds for ever.
    const older = idAt('2026-11-20T03:00:00Z');
    store.overwrite(`orders/${older}/pin-2099\n::error::.json`, Buffer.from('{}'), at(takenAt));
    const spoiled = on === 'on disk' ? await onDisk(store) : store;
    const after = await saidByAll(spoiled);
    for (const [n, said] of after.entries()) {
      const sound = before[n];
      if (said instanceof Failure || sound instanceof Failure || sound === undefined) throw said;
      const bad = said.findings.filter(({ status }) => status === 'fail' || status === 'unknown');
      expect(bad).toEqual(sound.findings.filter(({ status }) => status === 'fail' || status === 'unknown'));
      expect([said.verdict, said.outputs.proof]).toEqual([sound.verdict, sound.outputs.proof]);
      expect(`${renderText(said)}${JSON.stringify(said.outputs)}`).not.toMatch(/^\s*(::|##\[)|\p{Cf}/mu);
    }
    const [kept, removed] = [after, before].map((all) => (all[1] as Report).outputs);
    expect([kept?.kept, removed?.removed]).toEqual([expect.stringContaining(older), expect.stringContaining(older)]);
  },
);
