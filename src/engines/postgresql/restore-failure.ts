import { Failure, type FailureCode } from '../../core/failure.ts';
import { isOfWrapper, ownWords } from './restore-words.ts';
import { deniedHint, isDenied } from './scratch-role.ts';
import type { Session } from './session.ts';

export const OUT_OF_ROOM = 'The scratch server ran out of room';
export const SCRATCH_FULL =
  'Free space in the scratch folder, or name one on a larger disk with `scratch-dir`; with `scratch-url`, free space on that server.';

const TARGET_OUT_OF_ROOM = 'The target server ran out of room';
const TARGET_FULL =
  'Free space on the target server, or, where it has no room for two databases, restore with `drop-first: true`.';

const FULL = /No space left on device|disk full|wrote only \d+ of \d+ bytes/;

interface Outside {
  readonly pattern: RegExp;
  readonly what: string;
  readonly hint: string;
  /** Instead, where the server is that of `scratch-url`. */
  readonly elsewhere?: { readonly what: string; readonly hint: string };
  /** Instead, where it is the server of a restore. */
  readonly target?: { readonly what: string; readonly hint: string };
}

const DIED: Outside = {
  pattern:
    /server closed the connection|terminating connection|connection to server|the database system is|no connection to the server/,
  what: 'The scratch server died during the restore',
  hint: 'Look for the reason in the log of the kernel (dmesg): mostly the memory was full.',
  elsewhere: {
    what: 'The connection to the server of `scratch-url` broke during the restore',
    hint: 'Look in the log of that server for a restart, a crash or a session that was ended (pg_terminate_backend); if it says nothing, check the network to it. Then drill again.',
  },
  target: {
    what: 'The connection to the target server broke during the restore',
    hint: 'Look in the log of that server for a restart, a crash or a session that was ended (pg_terminate_backend); if it says nothing, check the network to it. Then restore again.',
  },
};

/** What ends a restore and says nothing of the backup: of the machine, and of whoever else is on it. */
const FROM_OUTSIDE: readonly Outside[] = [
  {
    pattern: /: ERROR: {2}canceling statement due to (user request|statement timeout|lock timeout)$/m,
    what: 'The restore was cancelled on the scratch server',
    hint: 'Somebody cancelled the statement there (pg_cancel_backend), or a time limit did. Let the drill come to its end, and drill again.',
    target: {
      what: 'The restore was cancelled on the target server',
      hint: 'Somebody cancelled the statement there (pg_cancel_backend), or a time limit did. Let the restore come to its end, and restore again.',
    },
  },
  {
    // `failureOf`'s words for a program that ended by a signal.
    pattern: /^\S+ was killed by /,
    what: 'The restore was ended from outside',
    hint: 'Somebody ended the program, or the system did because memory ran out: look at `dmesg`.',
  },
  {
    pattern: /Read-only file system|Input\/output error/,
    what: 'The disk of the scratch server failed',
    hint: 'Check the disk and its mount (`dmesg`, `mount`), or name another folder with `scratch-dir`.',
    target: {
      what: 'The disk of the target server failed',
      hint: 'Check the disk and its mount there (`dmesg`, `mount`).',
    },
  },
  {
    pattern: /out of memory|[Cc]annot allocate memory|could not fork|out of shared memory|[Tt]oo many open files/,
    what: 'This machine has too little for the restore',
    hint: 'Give this machine more memory, or fewer jobs at a time.',
    target: {
      what: 'The target server has too little for the restore',
      hint: 'Give it more memory, or restore with fewer `jobs`; for "out of shared memory" raise max_locks_per_transaction there.',
    },
  },
  {
    // postgres_fdw and dblink: a view is filled anew from a server that a drill must not reach.
    pattern: /could not connect to server "|could not establish connection/,
    what: 'The restore needs another server, which a drill does not reach',
    hint: 'A materialized view, or code in a constraint or index, reads from a foreign server: its rows are in no dump. Create the view WITH NO DATA, or leave it out with `exclude-tables`.',
    target: {
      what: 'The restore needs another server, which the target server does not reach',
      hint: 'A materialized view, or code in a constraint or index, reads from a foreign server: let the target server reach it, and restore again.',
    },
  },
  DIED,
];

/** A server of our own, that of `scratch-url`, or that of `target-url`: what to do differs. */
export type Where = 'own' | 'elsewhere' | 'target';

/**
 * What went wrong in a restore, by what it says of the backup: a full disk and a server that died say
 * nothing of it, an object that cannot be made does.
 */
export function explainRestore(error: unknown, artifact: string, where: Where = 'own'): unknown {
  if (!(error instanceof Failure) || error.code !== 'tool-failed') return error;
  const lines = firstLines(error.message);
  const said = ownWords(error.message);
  if (FULL.test(said)) return outOfRoom(lines, error, where);
  const outside = FROM_OUTSIDE.find(({ pattern }) => pattern.test(said));
  if (outside !== undefined) {
    const { what, hint } = advice(outside, where);
    return new Failure(codeOf(where), `${what}: ${lines}`, { cause: error, hint });
  }
  if (/deadlock detected/.test(said)) {
    const message = `Streams of the restore locked each other out at ${artifact}: ${lines}`;
    return new Failure(codeOf(where), message, { cause: error, hint: 'Restore one by one: `jobs: 1`.' });
  }
  if (isOfWrapper(error.message)) {
    return new Failure(codeOf(where), `What \`tools-prefix\` runs failed during the restore: ${lines}`, {
      cause: error,
      hint: 'Look whether the container or machine of `tools-prefix` still runs (`docker ps`), then try again.',
    });
  }
  const hint = where === 'target' && /role "[^"]*" does not exist/.test(lines) ? { hint: ROLE_MISSING } : {};
  return new Failure('restore-failed', `${artifact} could not be restored: ${lines}`, { cause: error, ...hint });
}

const ROLE_MISSING =
  'Create the role first, let the restore do it with `create-roles: true`, or leave owners and grants out with `owner: false`.';

function codeOf(where: Where): FailureCode {
  return where === 'target' ? 'target-failed' : 'scratch-failed';
}

function outOfRoom(lines: string, cause: unknown, where: Where): Failure {
  const [what, hint] = where === 'target' ? [TARGET_OUT_OF_ROOM, TARGET_FULL] : [OUT_OF_ROOM, SCRATCH_FULL];
  return new Failure('disk-full', `${what}: ${lines}`, { cause, hint });
}

/**
 * As `explainRestore`, for when the server can be asked: of a long statement only the end is kept, and why it
 * failed is lost. A server that is gone, or that denies it to us, disproves nothing.
 *
 * @param session to the same server, open since before
 */
export async function explainStep(error: unknown, artifact: string, session: Session, where: Where): Promise<unknown> {
  const explained = explainRestore(error, artifact, where);
  if (!(explained instanceof Failure) || explained.code !== 'restore-failed') return explained;
  const asked = await isDenied(session, error instanceof Failure ? ownWords(error.message) : '').catch(() => 'gone');
  if (asked === false) return explained;
  const { what, hint } =
    asked === true ? { what: 'The restore was denied', hint: deniedHint(where) } : advice(DIED, where);
  return new Failure(codeOf(where), `${what}: ${explained.message}`, { cause: error, hint });
}

function advice(outside: Outside, where: Where): { what: string; hint: string } {
  return (where === 'own' ? undefined : outside[where]) ?? outside;
}

/** The error, the object and the statement, without what pg_restore says besides. */
function firstLines(message: string): string {
  const lines = message
    .split('\n')
    .map((line) =>
      line.replace(/^(pg_restore exited with \d+: )?pg_restore: (error: |while PROCESSING TOC:)?/, '').trim(),
    )
    .filter((line) => line !== '' && !line.startsWith('warning:'));
  return lines.join(' · ').slice(0, 1500);
}
