import { type BackupId, backupKey, isId, momentOfId } from './keys.ts';
import { Proof } from './records.ts';
import { Status } from './report.ts';

/** A drill as the name of its record tells. */
export interface DrillMark {
  readonly id: string;
  readonly startedAt: Date;
  readonly verdict: Status;
  readonly proof: Proof;
  /** Relative to the backup's folder. */
  readonly key: string;
}

/** A pin as the name of its record tells. */
export interface PinMark {
  /** Null: for ever. */
  readonly until: Date | null;
  /** Relative to the backup's folder. */
  readonly key: string;
}

/** Key of a drill record, relative to the store: verdict and proof can be read from a listing alone. */
export function drillRecordKey(
  source: string,
  backup: BackupId,
  drill: { readonly id: string; readonly verdict: Status; readonly proof: Proof },
): string {
  return backupKey(source, backup, `drills/${drill.id}.${drill.verdict}.${drill.proof}.json`);
}

/** Takes a key relative to a backup's folder apart; undefined when it names no drill record. */
export function parseDrillKey(relative: string): DrillMark | undefined {
  const [, id, verdict, proof] = /^drills\/([^./]+)\.([a-z]+)\.([a-z]+)\.json$/.exec(relative) ?? [];
  const startedAt = id === undefined ? undefined : momentOfId(id);
  const parsed = { verdict: Status.safeParse(verdict), proof: Proof.safeParse(proof) };
  if (id === undefined || startedAt === undefined || !parsed.verdict.success || !parsed.proof.success) return undefined;
  return { id, startedAt, verdict: parsed.verdict.data, proof: parsed.proof.data, key: relative };
}

/** Key of a pin, relative to the store. `until` null: for ever. */
export function pinKey(source: string, backup: BackupId, until: Date | null): string {
  return backupKey(source, backup, `pin-${until === null ? 'forever' : stampOf(until)}.json`);
}

/**
 * Takes a key relative to a backup's folder apart; undefined when it names no pin. A pin whose date
 * cannot be read holds for ever: somebody wanted this backup to stay.
 */
export function parsePinKey(relative: string): PinMark | undefined {
  const [, until] = /^pin-([^/]+)\.json$/.exec(relative) ?? [];
  if (until === undefined) return undefined;
  return { until: isId(`${until}-000000`) ? (momentOfId(`${until}-000000`) ?? null) : null, key: relative };
}

/** The UTC stamp that ids begin with, `20270101T000000Z`. */
export function stampOf(at: Date): string {
  return at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '');
}

/** Key of the record of a restore, relative to the store. */
export function restoreRecordKey(source: string, id: string): string {
  return `${source}/restores/${id}.json`;
}
