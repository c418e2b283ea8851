import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { drillArtifacts } from './drill-artifacts.ts';
import type { Facts } from './facts.ts';
import { backupKey, MANIFEST, whereIs } from './keys.ts';
import { type Artifact, FORMAT, type Manifest, writeManifest } from './manifest.ts';
import { readManifestOf, sha256Of } from './manifest-reading.ts';
import type { Store } from './ports.ts';
import type { SelfTest } from './self-test.ts';
import { fetchOne } from './self-test-artifacts.ts';
import { damagedStore, type StoredDamage } from './self-test-store.ts';
import { type Expectation, judgeTrial, notCovered, type Trial } from './self-test-trial.ts';

/** Manifests that are not what they were, and facts that are not, under a manifest which agrees with them. */
export async function* manifestTrials(test: SelfTest): AsyncGenerator<Trial> {
  yield await tryFormat(test);
  yield await tryArtifactBytes(test);
  const { expected } = test.outcome;
  if (expected === undefined) return;
  yield await tryTotal(test, expected, 'rows');
  yield await tryTotal(test, expected, 'schemaObjects');
  // Of a standby this number is not compared.
  if (!test.plan.copies.chosen.manifest.server.standby) yield await tryTotal(test, expected, 'tables');
  yield notCovered('totals.databaseBytes of the manifest is one more', 'nothing in a restored copy can confirm it');
  yield await tryRows(test, expected);
}

async function tryFormat(test: SelfTest): Promise<Trial> {
  const { copies } = test.plan;
  const { manifest, backup } = copies.chosen;
  const format = FORMAT + 1;
  const bytes = Buffer.from(JSON.stringify({ ...manifest, format }));
  const store = withManifest(test, bytes);
  const options = { now: test.world.now(), random: () => 0, signal: test.world.signal };
  // The sound copy beside it, so that the drill goes on and says in a finding what it passed over.
  const { findings } = await test.examiners.choose([store, copies.store], backup.source, backup.id, options);
  // The whole place: that of a store with an endpoint goes on behind the key.
  const names = `${whereIs(store, backupKey(backup.source, backup.id, MANIFEST))} is of format ${format}`;
  const expect: Expectation[] = [{ rule: 'manifest-unreadable', names }];
  const path = 'choice of the backup, no fetch, no server';
  return judgeTrial({ damage: `the manifest is of format ${format}`, path, expect }, findings);
}

async function tryArtifactBytes(test: SelfTest): Promise<Trial> {
  const { manifest } = test.plan.copies.chosen;
  const [smallest] = manifest.artifacts.toSorted((a, b) => a.bytes - b.bytes);
  if (smallest === undefined) throw new Error('A manifest without artifacts was read.');
  const wrong = { ...smallest, bytes: smallest.bytes + 1 };
  const artifacts = manifest.artifacts.map((one) => (one === smallest ? wrong : one));
  const { store, read } = await rewritten(test, { ...manifest, artifacts });
  const artifact = read.artifacts.find(({ key }) => key === smallest.key) ?? wrong;
  const findings = await fetchOne(test, store, read, artifact);
  const damage = `bytes of ${smallest.key} in the manifest are one more`;
  const expect: Expectation[] = [{ rule: 'artifact-corrupt', names: smallest.key }];
  return judgeTrial({ damage, path: 'fetch of this artifact, no server', expect }, findings);
}

async function tryTotal(test: SelfTest, expected: Facts, name: 'rows' | 'tables' | 'schemaObjects'): Promise<Trial> {
  const { manifest } = test.plan.copies.chosen;
  const totals = { ...manifest.totals, [name]: (manifest.totals[name] ?? 0) + 1 };
  const { read } = await rewritten(test, { ...manifest, totals });
  const damage = `totals.${name} of the manifest is one more`;
  const expect: Expectation[] = [{ rule: 'manifest-totals', names: `totals.${name}` }];
  const path = 'manifest against the facts read before';
  return judgeTrial({ damage, path, expect }, [test.examiners.totals(read, expected)]);
}

/** The facts themselves changed, stored again, and the manifest's SHA-256 with them: only the data can tell. */
async function tryRows(test: SelfTest, expected: Facts): Promise<Trial> {
  const { plan, outcome, world, examiners } = test;
  const { manifest } = plan.copies.chosen;
  const damage = 'the row count of one table in the facts is one more, under a manifest that agrees';
  const table = expected.tables.at(-1);
  const artifact = manifest.artifacts.find(({ role }) => role === 'facts');
  if (table === undefined || artifact === undefined || outcome.found === undefined || outcome.given === undefined) {
    return notCovered(damage, 'the backup holds the rows of no table');
  }
  const tables = expected.tables.map((one) => (one === table ? { ...one, rows: one.rows + 1 } : one));
  const bytes = await storedFacts(test, artifact, { ...expected, tables });
  const changed = { ...artifact, bytes: bytes.length, sha256: sha256Of(bytes) };
  const artifacts = manifest.artifacts.map((one) => (one === artifact ? changed : one));
  const rewrite = new Map([[artifact.key, { kind: 'rewritten', bytes } as const]]);
  const { store, read } = await rewritten(test, { ...manifest, artifacts }, rewrite);
  const facts = await drillArtifacts(store, read, plan.identity, world).readFacts();
  const findings = facts === undefined ? [] : examiners.compare(facts, outcome.found, outcome.given);
  const expect: Expectation[] = [{ rule: 'facts-tables', names: `table ${table.name}` }];
  return judgeTrial(
    { damage, path: 'fetch of the facts, compared with those of the restored database', expect },
    findings,
  );
}

function storedFacts({ world }: SelfTest, artifact: Artifact, facts: Facts): Promise<Buffer> {
  const plain = Readable.from([Buffer.from(JSON.stringify(facts))]);
  const packed = artifact.compression === 'none' ? plain : world.compression.compress(plain, 3);
  const { encryption } = artifact;
  return buffer(encryption === null ? packed : world.encryption.encrypt(encryption.recipients, packed));
}

/** The store with another manifest, and that manifest as it reads there. */
async function rewritten(
  test: SelfTest,
  manifest: Manifest,
  damages: ReadonlyMap<string, StoredDamage> = new Map(),
): Promise<{ store: Store; read: Manifest }> {
  const store = withManifest(test, Buffer.from(writeManifest(manifest)), damages);
  const { manifest: read } = await readManifestOf(store, manifest.source, manifest.id, test.world.signal);
  return { store, read };
}

/** @param damages by keys relative to the folder of the backup */
function withManifest(
  { plan }: SelfTest,
  bytes: Buffer,
  damages: ReadonlyMap<string, StoredDamage> = new Map(),
): Store {
  const { store, chosen } = plan.copies;
  const { source, id } = chosen.backup;
  const all: [string, StoredDamage][] = [...damages, [MANIFEST, { kind: 'rewritten', bytes }]];
  return damagedStore(store, new Map(all.map(([key, damage]) => [backupKey(source, id, key), damage])));
}
