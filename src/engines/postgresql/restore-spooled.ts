import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../core/failure.ts';
import { type Command, runText } from '../../sys/process.ts';
import { zstd } from '../../sys/zstd.ts';
import type { ArchiveEntry } from './archive-list.ts';
import type { OpenArtifact, RestoreTarget } from './restore.ts';
import { OUT_OF_ROOM, SCRATCH_FULL } from './restore-failure.ts';
import { type ListedStep, useList } from './restore-keys.ts';
import type { Step } from './restore-plan.ts';

/** `pg_restore -j` needs a file it can seek in, and one that is not somewhere else than the program. */
export function mayBeSpooled({ jobs, client }: RestoreTarget, { artifact }: Step): boolean {
  return artifact.role === 'post-data' && jobs > 1 && !client.wrapped;
}

/**
 * Makes indexes, keys and triggers in parallel, from a file: it holds definitions only and so is small.
 * Decrypted it lies in the private folder of the scratch server alone, and no longer than it is read.
 */
export async function restoreSpooled(target: RestoreTarget, step: ListedStep, open: OpenArtifact): Promise<void> {
  const path = join(target.folder, 'definitions.spool');
  try {
    await spool(zstd(target.env).decompress(await open(step.artifact)), path, target.signal);
    for (const { entries, args, jobs } of planPasses(step.entries)) {
      const list = await useList(target, { name: 'restore.list', entries });
      const all = [...args, ...list, ...(jobs ? [`--jobs=${target.jobs}`] : []), path];
      await runText(restoreCommand(target, all), { signal: target.signal });
    }
  } finally {
    await rm(path, { force: true });
  }
}

interface Pass {
  readonly entries: readonly ArchiveEntry[];
  readonly args: readonly string[];
  /** In parallel. */
  readonly jobs: boolean;
}

const INDEX = /^(CONSTRAINT|CHECK CONSTRAINT|INDEX|INDEX ATTACH) /;
const ATTACH = /^INDEX ATTACH /;
const ON_INDEX = /^(COMMENT|SECURITY LABEL) .*(CONSTRAINT|INDEX) /;

/**
 * What may be made in parallel. With partitioned tables only indexes, as far as they come first (one on a
 * materialized view may need what comes between): the archive does not tell pg_restore that a trigger
 * of a partition needs that of its parent, nor that a foreign key to a partitioned table locks its
 * partitions; with two at a time the one fails and the other ends in a deadlock (seen with 15.20). Nor may two
 * indexes be attached at a time: where partitions are nested, neither sees the other done, the uppermost one stays
 * invalid, and a foreign key finds no unique constraint (seen with 15.18).
 */
export function planPasses(entries: readonly ArchiveEntry[]): Pass[] {
  const section = ['--section=post-data'];
  if (!entries.some(({ what }) => what.startsWith('TABLE ATTACH '))) return [{ entries, args: section, jobs: true }];
  const first = entries.findIndex(({ what }) => INDEX.test(what));
  const length = entries.slice(first).findIndex(({ what }) => !INDEX.test(what) && !ON_INDEX.test(what));
  if (first === -1 || length === -1) return [{ entries, args: section, jobs: false }];
  const indexes = new Set(entries.slice(first, first + length).filter(({ what }) => !ATTACH.test(what)));
  return [
    { entries: [...indexes], args: [], jobs: true },
    { entries: entries.filter((one) => !indexes.has(one)), args: section, jobs: false },
  ];
}

async function spool(plain: Readable, path: string, signal: AbortSignal): Promise<void> {
  await pipeline(plain, createWriteStream(path, { mode: 0o600, flags: 'wx' }), { signal }).catch((cause) => {
    if (cause.code !== 'ENOSPC') throw cause;
    throw new Failure('disk-full', `${OUT_OF_ROOM}: ${cause.message}`, { cause, hint: SCRATCH_FULL });
  });
}

/** pg_restore into the target; the first error ends it. */
function restoreCommand(target: RestoreTarget, what: readonly string[]): Command {
  return target.client.command('pg_restore', restoreArguments(target, what), { LC_ALL: 'C' });
}

/** For a pg_restore into the target that ends at the first error. */
export function restoreArguments(target: RestoreTarget, what: readonly string[]): string[] {
  const { client, database, ownership } = target;
  const dsn = client.target.dsn({ applicationName: 'lifeboat', database });
  const always = ['--exit-on-error', '--no-tablespaces', '--no-subscriptions', '--no-password', '-d', dsn];
  const owner = ownership?.owner === false ? ['--no-owner', '--no-privileges'] : [];
  const role = ownership?.role === undefined ? [] : [`--role=${ownership.role}`];
  return [...always, ...owner, ...role, ...what];
}
