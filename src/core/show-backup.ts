import { activePin, type CatalogBackup, isComplete } from './catalog.ts';
import { ageOf } from './catalog-table.ts';
import type { FoundBackup, FoundCopy } from './find-backup.ts';
import { compareWithListing, type Damage } from './integrity.ts';
import { backupKey, isId } from './keys.ts';
import type { Manifest } from './manifest.ts';
import { parseRecord } from './manifest.ts';
import { isUnreadable, readManifestOf, readSmall } from './manifest-reading.ts';
import { notReadable } from './open-stores.ts';
import type { Store } from './ports.ts';
import { type CopyProof, proofOfCopy, readDrill } from './proof.ts';
import { type DrillRecord, PinRecord, RestoreRecord } from './records.ts';
import { type Finding, finding } from './report.ts';

/** One copy, as far as it could be read. */
export interface ShownCopy extends FoundCopy {
  readonly manifest: Manifest | undefined;
  readonly proof: CopyProof | undefined;
  readonly damages: readonly Damage[];
}

export interface ShownBackup {
  readonly found: FoundBackup;
  readonly copies: readonly ShownCopy[];
  /** Undefined: none could be read. */
  readonly manifest: Manifest | undefined;
  /** Newest first, each once. */
  readonly drills: readonly DrillRecord[];
  readonly pins: readonly PinRecord[];
  /** Newest first. */
  readonly restores: readonly RestoreRecord[];
  readonly findings: readonly Finding[];
}

/** Reads all that is recorded of one backup; the bytes of its artifacts are not among it. */
export async function readShown(found: FoundBackup, now: Date, signal: AbortSignal): Promise<ShownBackup> {
  const findings: Finding[] = [...found.findings];
  const copies: ShownCopy[] = [];
  for (const copy of found.copies) {
    try {
      copies.push(await readCopy(copy, findings, signal));
    } catch (error) {
      findings.push(notReadable(copy.store.location, error));
    }
  }
  for (const { store, damages } of copies) findings.push(...damages.map((damage) => damaged(store, damage)));
  const records = await readRecords(found, now, signal);
  return { found, copies, manifest: copies.find(({ manifest }) => manifest)?.manifest, ...records, findings };
}

async function readCopy(copy: FoundCopy, findings: Finding[], signal: AbortSignal): Promise<ShownCopy> {
  const { store, backup } = copy;
  const subject = store.location;
  if (!isComplete(backup)) {
    const message = `${backup.source}/${backup.id} has no manifest here: it is no backup, or none any more.`;
    const hint = 'It is being made, was left unfinished, or somebody took the manifest away: see `lifeboat list`.';
    findings.push(finding('backup-missing', 'warn', message, { subject, hint }));
    return { ...copy, manifest: undefined, proof: undefined, damages: [] };
  }
  try {
    const { manifest } = await readManifestOf(store, backup.source, backup.id, signal, backup.manifestBytes);
    const proof = await proofOfCopy(store, backup, signal);
    return { ...copy, manifest, proof, damages: compareWithListing(manifest, backup.artifacts) };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    findings.push({ ...notReadable(subject, error, 'Its manifest'), rule: 'manifest-unreadable', status: 'fail' });
    return { ...copy, manifest: undefined, proof: undefined, damages: [] };
  }
}

function damaged({ location }: Store, { artifact, what }: Damage): Finding {
  return finding('artifact-missing', 'fail', `${artifact} ${what}.`, {
    subject: location,
    hint: 'Restore from the copy in another store, or bring it back with `lifeboat undelete`.',
  });
}

/** A record lies in every store; the first one that has it tells. */
async function readRecords({ source, id, copies }: FoundBackup, now: Date, signal: AbortSignal) {
  const drills = new Map<string, DrillRecord>();
  const pins = new Map<string, PinRecord>();
  const restores = new Map<string, RestoreRecord>();
  for (const { store, backup } of copies) {
    for (const mark of backup.drills.slice(-MOST_RECORDS).toReversed()) {
      const record = drills.has(mark.id) ? undefined : await readDrill(store, backup, mark, signal);
      if (record !== undefined) drills.set(mark.id, record);
    }
    for (const { key } of activePin(backup, now) === undefined ? [] : backup.pins) {
      const record = pins.has(key) ? undefined : await readJson(store, backupKey(source, id, key), PinRecord, signal);
      if (record !== undefined) pins.set(key, record);
    }
    for (const record of await restoresIn(store, backup, signal)) restores.set(record.id, record);
  }
  const newestFirst = (a: { id: string }, b: { id: string }) => (a.id < b.id ? 1 : -1);
  return {
    drills: [...drills.values()].toSorted(newestFirst),
    pins: [...pins.values()],
    restores: [...restores.values()].toSorted(newestFirst),
  };
}

/** Of each kind, the newest; more nobody reads. */
const MOST_RECORDS = 20;

/** Restores of this backup: they began after it was taken, so older ones are not read. */
async function restoresIn(store: Store, { source, id }: CatalogBackup, signal: AbortSignal): Promise<RestoreRecord[]> {
  const prefix = `${source}/restores/`;
  const keys: string[] = [];
  for await (const { key } of store.list(prefix, { after: prefix + id.slice(0, 16), signal })) {
    if (isId(key.slice(prefix.length).replace(/\.json$/, ''))) keys.push(key);
  }
  const records: RestoreRecord[] = [];
  for (const key of keys.toReversed().slice(0, 10 * MOST_RECORDS)) {
    const record = await readJson(store, key, RestoreRecord, signal);
    if (record?.backup === id) records.push(record);
  }
  return records.slice(0, MOST_RECORDS);
}

/** Undefined: it cannot be read, and says nothing. */
async function readJson<T>(
  store: Store,
  key: string,
  schema: Parameters<typeof parseRecord<T>>[0],
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return parseRecord(schema, (await readSmall(store, key, signal)).toString('utf8'), key);
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** `proven 3d ago`, or what else there is to say of one copy. */
export function describeProof({ backup, manifest, proof }: ShownCopy, now: Date): string {
  if (!isComplete(backup)) return 'no manifest';
  if (manifest === undefined) return 'unreadable';
  return proof === undefined ? 'not drilled' : `${proof.proof} ${ageOf(proof.drill.startedAt, now)} ago`;
}
