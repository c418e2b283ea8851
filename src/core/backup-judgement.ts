import type { Manifest, Scope, ServerInfo } from './manifest.ts';
import { type Finding, finding } from './report.ts';

/** What is known of a backup before its manifest is written. */
export interface MadeSoFar {
  readonly scope: Scope;
  readonly server: ServerInfo;
  /** Tables whose rows it holds. */
  readonly tables: number;
  readonly encrypted: boolean;
}

/**
 * Compares a backup with the newest earlier one of its source: what changed silently since, and with nothing
 * else to notice it, would be found only when the backup is needed.
 */
export function judgeContinuity(previous: Manifest | undefined, made: MadeSoFar): Finding[] {
  return [judgeEmptiness(made), judgeServer(previous, made), judgeEncryption(previous, made)].filter(
    (one) => one !== undefined,
  );
}

/** An empty database is what a wrong or missing `database-url` finds first. */
function judgeEmptiness({ scope, server, tables }: MadeSoFar): Finding | undefined {
  if (scope === 'schema' || tables > 0) return undefined;
  return finding(
    'database-empty',
    'warn',
    `The backup holds no rows: ${nameOf(server)} has no table to take any from.`,
    {
      numbers: { tables },
      hint: 'Check that `database-url` names the database you mean, and that `exclude-tables` leaves something.',
    },
  );
}

/** A standby that was promoted keeps the system identifier; a new server, also after an upgrade by dump, does not. */
function judgeServer(previous: Manifest | undefined, { server }: MadeSoFar): Finding | undefined {
  if (previous === undefined) return undefined;
  const before = previous.server;
  const both = [before.systemIdentifier, server.systemIdentifier];
  const isOther = !both.includes(null) && before.systemIdentifier !== server.systemIdentifier;
  if (!isOther && before.database === server.database) return undefined;
  const identified = (one: ServerInfo) =>
    isOther ? `${nameOf(one)} (system identifier ${one.systemIdentifier})` : nameOf(one);
  return finding(
    'server-changed',
    'warn',
    `The backup before, ${previous.id}, is of ${identified(before)}; this one is of ${identified(server)}.`,
    {
      hint: 'Correct `database-url` if that is not meant, and give another database a source of its own. After a move or an upgrade there is nothing to do: the next backup is compared with this one.',
    },
  );
}

function judgeEncryption(previous: Manifest | undefined, { encrypted }: MadeSoFar): Finding | undefined {
  if (encrypted || previous === undefined || !isEncrypted(previous)) return undefined;
  return finding(
    'encryption-lost',
    'fail',
    `This backup is not encrypted, and the one before, ${previous.id}, is: anybody who reads the store reads the data.`,
    {
      hint: 'Check that `age-recipients` still arrives (a variable or secret that does not exist is empty), take another backup, and remove this one. If it is meant, there is nothing to do: the next backup is compared with this one.',
    },
  );
}

export function isEncrypted({ artifacts }: Pick<Manifest, 'artifacts'>): boolean {
  return artifacts.some(({ encryption }) => encryption !== null);
}

function nameOf({ database, host, port }: ServerInfo): string {
  return `database "${database}" on ${host}${port === null || host.startsWith('/') ? '' : `:${port}`}`;
}
