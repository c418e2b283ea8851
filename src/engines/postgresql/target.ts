import { formatDuration } from '../../core/duration.ts';
import { Failure } from '../../core/failure.ts';
import type { Target, TargetRequest } from '../../core/ports.ts';
import { LONGEST_NAME } from '../../core/restore-names.ts';
import { makeScratchDir } from '../../sys/scratch-dir.ts';
import { askAnew, whileAnswering } from './heartbeat.ts';
import { anyClient, type Client } from './programs.ts';
import type { ConnectedContext } from './scratch.ts';
import { buildTarget } from './target-build.ts';
import { connectTarget, type Reaching } from './target-connect.ts';
import { dropLeft, dropNamed, dropUnfinished } from './target-drop.ts';
import { inspectTarget } from './target-inspect.ts';
import type { Lent } from './target-lent.ts';
import { lockTarget } from './target-lock.ts';
import { analyzeDatabase, countTables, readFactsOf, reindexDatabase } from './target-reading.ts';
import { readRolesWithoutPassword } from './target-roles.ts';
import { finishDatabase, keepDatabase, renameToTarget, swapDatabases } from './target-swap.ts';
import { aboutTarget } from './target-words.ts';

/**
 * Lends the server that a restore works on. What was made there and not finished is gone when `use` settles.
 *
 * @throws {Failure} `source-unreachable`, `source-denied`, `tool-missing`, `stalled`
 */
export async function withTarget<T>(
  request: TargetRequest,
  context: ConnectedContext,
  use: (target: Target) => Promise<T>,
): Promise<T> {
  const finder = await aboutTarget(anyClient(request.connection, context.env));
  const name = targetName(finder, context.env);
  const { stallMs, signal } = request;
  let ask: ReturnType<typeof askAnew> | undefined;
  const heartbeat = {
    ask: async (over: AbortSignal) => {
      if (ask === undefined) throw new Error('Not connected yet.');
      await ask(over);
    },
    fellSilent: () => silent(finder.target.label, stallMs),
    ...{ stallMs, signal },
  };
  return whileAnswering(heartbeat, async (alive) => {
    const reaching = { request: { ...request, signal: alive.signal }, context, silence: alive.silence, name };
    const connected = await aboutTarget(connectTarget(finder, reaching));
    ask = askAnew(connected.client);
    return lend(reaching, connected, use);
  });
}

function targetName({ target }: Client, env: NodeJS.ProcessEnv): string {
  const name = target.database ?? env.PGDATABASE;
  if (name !== undefined && Buffer.byteLength(name) > LONGEST_NAME)
    throw new Failure(
      'invalid-input',
      `The name of the database in \`target-url\` is longer than ${LONGEST_NAME} bytes: ${name}.`,
      {
        hint: 'PostgreSQL would cut it without a word. Give the name as it is on the server (`psql -l`), or a shorter one.',
      },
    );
  if (name !== undefined && name !== '') return name;
  throw new Failure('invalid-input', '`target-url` names no database.', {
    hint: 'End it with the name of the database to restore: postgresql://user@host:5432/shop. It need not exist.',
  });
}

function silent(where: string, stallMs: number): Failure {
  return new Failure('stalled', `The target server (${where}) gave no answer for ${formatDuration(stallMs)}.`, {
    hint: 'That server or the network to it hangs: look at both, and restore again. If it is only slow, raise `stall-timeout`.',
  });
}

async function lend<T>(
  reaching: Reaching,
  connected: Awaited<ReturnType<typeof connectTarget>>,
  use: (target: Target) => Promise<T>,
): Promise<T> {
  const { request, context } = reaching;
  const { session } = connected;
  try {
    const folder = await makeScratchDir(request.scratchDir, `restore-${request.restoreId.toLowerCase()}`, 0);
    const state = { folder: folder.path, building: new Map(), isLocked: false };
    const lent: Lent = { ...reaching, ...connected, ...state };
    try {
      return await useAndTidy(lent, use);
    } finally {
      await folder.remove().catch((error: unknown) => context.log.warning(String(error)));
    }
  } finally {
    await session.close();
  }
}

async function useAndTidy<T>(lent: Lent, use: (target: Target) => Promise<T>): Promise<T> {
  let isDone = false;
  try {
    const used = await use(describe(lent));
    isDone = true;
    return used;
  } finally {
    await dropUnfinished(lent).catch((error: unknown) => {
      if (isDone) throw error;
      // What went wrong before is what the reader needs.
      lent.context.log.warning(error instanceof Error ? error.message : String(error));
    });
  }
}

function describe(lent: Lent): Target {
  /** Nothing is changed without the lock. */
  const locked = <T>(change: () => Promise<T>) => lockTarget(lent).then(change);
  return {
    name: lent.name,
    inspect: () => inspectTarget(lent),
    lock: () => lockTarget(lent),
    dropLeft: () => locked(() => dropLeft(lent)),
    build: (database, open) => locked(() => buildTarget(lent, database, open)),
    readFacts: (database, level) => readFactsOf(lent, database, level),
    countRows: (database, tables) => countTables(lent, database, tables),
    analyze: (database) => analyzeDatabase(lent, database),
    reindex: (database) => reindexDatabase(lent, database),
    keep: (database, why) => locked(() => keepDatabase(lent, database, why)),
    finish: (database) => locked(() => finishDatabase(lent, database)),
    swap: (restored, keepAs) => locked(() => swapDatabases(lent, restored, keepAs)),
    rename: (database) => locked(() => renameToTarget(lent, database)),
    drop: (database) => locked(() => dropNamed(lent, database)),
    rolesWithoutPassword: () => readRolesWithoutPassword(lent),
  };
}
