import { Readable } from 'node:stream';
import { counted } from './counted.ts';
import { Failure } from './failure.ts';
import { completeCopies, type FoundBackup, type FoundCopy } from './find-backup.ts';
import { backupKey, whereIs } from './keys.ts';
import { wholeSeconds } from './make-manifest.ts';
import { notReadable } from './open-stores.ts';
import { pinKey } from './record-keys.ts';
import type { PinRecord } from './records.ts';
import { type Finding, finding } from './report.ts';

/**
 * Writes a pin beside every copy of a backup. A store that fails leaves the others pinned, and is a `fail`.
 *
 * @throws {Failure} `backup-not-found` when no store holds a whole backup of this id
 */
export async function pinCopies(found: FoundBackup, record: PinRecord): Promise<Finding[]> {
  const copies = completeCopies(found);
  if (copies.length === 0) {
    throw new Failure(
      'backup-not-found',
      `Of ${found.source}/${found.id} no store holds a manifest: it is no backup.`,
      {
        hint: `\`lifeboat show ${found.id}\` says what is there.`,
      },
    );
  }
  const findings: Finding[] = [];
  for (const copy of copies) findings.push(await tried('pin-written', copy, () => pinOne(copy, record)));
  return findings;
}

async function pinOne({ store, backup }: FoundCopy, record: PinRecord): Promise<Finding> {
  const until = record.until === null ? null : new Date(record.until);
  const key = pinKey(backup.source, backup.id, until);
  const subject = store.location;
  if (backup.pins.some((pin) => backupKey(backup.source, backup.id, pin.key) === key)) {
    return finding('pin-written', 'pass', `It was pinned ${untilWhen(record)} before.`, { subject });
  }
  await store.put(key, Readable.from([Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`)]));
  return finding('pin-written', 'pass', `Pinned ${untilWhen(record)}.`, { subject });
}

export function untilWhen({ until }: Pick<PinRecord, 'until'>): string {
  return until === null ? 'for ever' : `until ${until}`;
}

/** Removes every pin of a backup, in every store that has one. */
export async function unpinCopies(found: FoundBackup): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const copy of found.copies) findings.push(await tried('pin-removed', copy, () => unpinOne(copy)));
  return findings;
}

async function unpinOne({ store, backup }: FoundCopy): Promise<Finding> {
  const subject = store.location;
  const keys = backup.pins.map(({ key }) => backupKey(backup.source, backup.id, key));
  if (keys.length === 0) return finding('pin-removed', 'pass', 'It was not pinned.', { subject });
  const [left] = await store.remove(keys);
  if (left === undefined) {
    return finding('pin-removed', 'pass', `${counted(keys.length, 'pin')} removed.`, { subject });
  }
  return finding('pin-removed', 'fail', `${whereIs(store, left.key)} is still there: ${left.reason}`, {
    subject,
    hint: 'Where objects are locked, a pin stays until its lock has run out.',
  });
}

/** What one store refuses must not keep the others from being asked. */
async function tried(
  rule: 'pin-written' | 'pin-removed',
  copy: FoundCopy,
  work: () => Promise<Finding>,
): Promise<Finding> {
  try {
    return await work();
  } catch (error) {
    const { message, hint } = notReadable(copy.store.location, error, 'The pin');
    return finding(rule, 'fail', message, { subject: copy.store.location, ...(hint !== undefined && { hint }) });
  }
}

/** What keeps a backup without a pin, as far as one can tell without a policy. */
export function afterUnpinning(found: FoundBackup, newestId: string | undefined): string {
  if (newestId === found.id) return 'It is the newest backup of its source: prune keeps it all the same.';
  return 'The next prune removes it if no keep rule wants it; `lifeboat prune --dry-run` with your rules shows that.';
}

export function makePin(reason: string, forMs: number | undefined, now: Date, by: string | undefined): PinRecord {
  const until = forMs === undefined ? null : wholeSeconds(new Date(now.getTime() + forMs));
  return { format: 1, reason, pinnedAt: wholeSeconds(now), until, ...(by !== undefined && { by }) };
}
