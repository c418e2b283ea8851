import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { formatDuration } from './duration.ts';
import { Failure } from './failure.ts';
import { IN_PROGRESS, makeId, momentOfId } from './keys.ts';
import type { LockTraits, Store, StoreTraits, World } from './ports.ts';
import { type Finding, finding } from './report.ts';
import type { RuleId } from './rules.ts';

/** No name of a source begins with a dot, so nobody takes what lies there for a backup. */
const PROBE = '.lifeboat-doctor-';
/** What an older doctor has left it will not need any more. */
const LEFT_MS = 600_000;
const PROBE_TEXT = 'Written by lifeboat doctor to try this store, and removed at once.\n';
/** More than one part of an upload. */
const LARGE_BYTES = 9 * 1024 * 1024;

type Trying = Pick<World, 'now' | 'randomHex' | 'signal'>;

/**
 * Tries a store for real: writes, reads, lists, deletes below a folder of its own, and finds out what it makes of
 * conditions and locks. The folder is gone afterwards; what a doctor that was killed has left is removed first.
 */
export async function tryStore(store: Store, world: Trying): Promise<Finding[]> {
  const say: Say = (rule, status, message, hint) =>
    finding(rule, status, message, { subject: store.location, ...(hint !== undefined && { hint }) });
  const findings: Finding[] = [];
  const step = async (what: string, rule: RuleId, work: () => Promise<Finding[]>): Promise<boolean> => {
    try {
      findings.push(...(await work()));
      return true;
    } catch (error) {
      world.signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      findings.push(say(rule, 'fail', `${what} failed: ${error.message}`, error.hint));
      return false;
    }
  };
  if (!(await step('Listing', 'store-tried', () => removeLeft(store, world, say)))) return findings;
  const locks = await readLocks(store, world, findings, say);
  if (locks?.byDefault !== undefined) return [...findings, lockedByDefault(locks.byDefault, say)];
  const id = makeId(world.now(), world.randomHex(3));
  // As the mark of a backup under way, which every writer may remove again and no lock of a URL holds.
  const key = `${PROBE}${id}/${id}/${IN_PROGRESS}`;
  try {
    await step('Writing, reading and listing', 'store-tried', () => writeAndRead(store, key, say));
    await step('Finding out what it is like', 'store-traits', async () => judgeTraits(await store.traits(key), say));
    await step('Writing in parts', 'store-tried', () => writeLarge(store, key, say));
  } finally {
    await step('Deleting', 'store-tried', () => removeProbe(store, key, say));
  }
  await step('Asking for versions', 'store-traits', () => judgeVersions(store, say));
  return findings;
}

type Say = (rule: RuleId, status: Finding['status'], message: string, hint?: string) => Finding;

async function removeLeft(store: Store, { now }: Trying, say: Say): Promise<Finding[]> {
  const folders = await store.listFolders();
  const old = folders.filter((name) => {
    const at = name.startsWith(PROBE) ? momentOfId(name.slice(PROBE.length)) : undefined;
    return at !== undefined && now().getTime() - at.getTime() > LEFT_MS;
  });
  for (const folder of old) {
    for await (const upload of store.openUploads(`${folder}/`)) await upload.abort();
    await store.remove((await Array.fromAsync(store.list(`${folder}/`))).map(({ key }) => key));
  }
  return old.length === 0
    ? []
    : [say('store-tried', 'pass', `Removed what a doctor that was killed left: ${old.join(', ')}.`)];
}

async function readLocks(store: Store, world: Trying, findings: Finding[], say: Say): Promise<LockTraits | undefined> {
  try {
    const locks = await store.lockTraits();
    if (locks.isPossible)
      findings.push(say('store-traits', 'pass', 'Objects can be locked (`object-lock` in the URL).'));
    return locks;
  } catch (error) {
    world.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    const hint = 'Allow `s3:GetBucketObjectLockConfiguration` to this role, should you want to know.';
    findings.push(
      say('store-traits', 'pass', `Whether objects can be locked may not be asked: ${error.message}`, hint),
    );
    return undefined;
  }
}

function lockedByDefault(length: string, say: Say): Finding {
  return say(
    'store-traits',
    'warn',
    `The bucket locks every object (${length}), so nothing was written to try it: a probe would stay. The marks of progress of backups are locked, too.`,
    'Take the default retention off the bucket, and give `object-lock=governance:30d` in the store URL of backups (docs/S3.md, "Object lock").',
  );
}

async function writeAndRead(store: Store, key: string, say: Say): Promise<Finding[]> {
  await store.put(key, Readable.from([PROBE_TEXT]));
  if ((await text(await store.get(key))) !== PROBE_TEXT)
    throw new Failure('artifact-corrupt', 'Other bytes came back than were written.', {
      hint: 'Do not keep backups in this store before its maker has explained that.',
    });
  const listed = (await Array.fromAsync(store.list(`${key.split('/')[0]}/`))).some((object) => object.key === key);
  if (!listed) throw new Failure('store-unavailable', 'What was just written is not listed.');
  return [say('store-tried', 'pass', 'Written, read back and listed.')];
}

async function writeLarge(store: Store, key: string, say: Say): Promise<Finding[]> {
  const bytes = Buffer.alloc(LARGE_BYTES);
  const copy = await store.put(key, Readable.from([bytes]), { expectedBytes: bytes.length });
  const isSame = copy.sha256 === createHash('sha256').update(bytes).digest('hex');
  if (!isSame || (await store.head(key))?.bytes !== bytes.length)
    throw new Failure('artifact-corrupt', 'The store keeps something else than was written in parts.');
  return [say('store-tried', 'pass', 'An upload in parts arrived complete.')];
}

async function removeProbe(store: Store, key: string, say: Say): Promise<Finding[]> {
  const left = await store.remove([key]);
  const still = await store.head(key);
  if (left.length === 0 && still === undefined) return [say('store-tried', 'pass', 'The probe was deleted.')];
  const why = left.map(({ reason }) => reason).join(', ') || 'it is still there';
  throw new Failure('store-denied', `${key}: ${why}`, {
    hint: 'Allow deleting */*/in-progress.json to this role (docs/S3.md, "backup"), and delete this object by hand.',
  });
}

function judgeTraits(
  { conditionalWrites: { whole, inParts }, clockOffsetSeconds, fileSystem }: StoreTraits,
  say: Say,
): Finding[] {
  const condition = `A write under a taken key, on the condition that it is free (If-None-Match), is ${saysOf(whole)} for whole objects and ${saysOf(inParts)} for uploads in parts.`;
  return [
    say('store-traits', 'pass', `${condition} Backups do not rely on it.`),
    ...(fileSystem === undefined ? [] : [judgeFileSystem(fileSystem, say)]),
    ...(clockOffsetSeconds === undefined ? [] : [judgeClock(clockOffsetSeconds, say)]),
  ];
}

function saysOf(answer: StoreTraits['conditionalWrites']['whole']): string {
  const words = { honoured: 'refused', ignored: 'taken, the condition ignored,', 'not-supported': 'not understood' };
  return words[answer];
}

function judgeFileSystem({ name, kind }: NonNullable<StoreTraits['fileSystem']>, say: Say): Finding {
  if (kind === 'memory')
    return say(
      'store-traits',
      'fail',
      `The folder is on ${name}: what is kept there is gone when the machine restarts.`,
      'Name a folder on a disk, best on another one than the database.',
    );
  const note = kind === 'network' ? ', over the network: it must be mounted whenever a backup runs' : '';
  return say('store-traits', 'pass', `The folder is on ${name}${note}.`);
}

function judgeClock(offset: number, say: Say): Finding {
  const far = Math.abs(offset);
  if (far <= 60) return say('store-clock', 'pass', "The store's clock is within a minute of this runner's.");
  const message = `The store's clock is ${formatDuration(far * 1000)} ${offset > 0 ? 'ahead of' : 'behind'} this runner's.`;
  return say(
    'store-clock',
    far > 600 ? 'fail' : 'warn',
    message,
    'Let the runner keep time: `sudo timedatectl set-ntp true`',
  );
}

async function judgeVersions(store: Store, say: Say): Promise<Finding[]> {
  // Of a folder nobody expects versions.
  if ((await store.freeSpace()) !== undefined) return [];
  if (await store.keepsVersions())
    return [say('store-traits', 'pass', 'The bucket keeps versions of what is deleted or overwritten.')];
  const bucket = /^s3:\/\/([^/?]+)/.exec(store.location)?.[1] ?? 'BUCKET';
  return [
    say(
      'store-traits',
      'warn',
      'The bucket keeps no versions: whoever may write can overwrite a backup for good.',
      `\`aws s3api put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled\``,
    ),
  ];
}
