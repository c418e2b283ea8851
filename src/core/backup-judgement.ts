import { type CatalogBackup, isComplete } from './catalog.ts';
import type { Manifest, Scope, ServerInfo } from './manifest.ts';
import { type Finding, finding } from './report.ts';

/** What is known of a backup before its manifest is written. */
export interface MadeSoFar {
  readonly scope: Scope;
  readonly server: ServerInfo;
  /** Tables whose rows it holds. */
  readonly tables: number;
  readonly encrypted: boolean;
  /** The newest of the last backups that is encrypted, the one right before or an earlier one. */
  readonly lastEncrypted: string | undefined;
}

/**
 * Compares a backup with the newest earlier one of its source: what changed silently since, and with nothing
 * else to notice it, would be found only when the backup is needed.
 */
export function judgeContinuity(previous: Manifest | undefined, made: MadeSoFar): Finding[] {
  return [judgeEmptiness(made), judgeServer(previous, made), judgeEncryption(made)].filter((one) => one !== undefined);
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

/** Not only by the one before: the alarm would end by itself on the next day, and the backups stay in clear. */
function judgeEncryption({ encrypted, lastEncrypted }: MadeSoFar): Finding | undefined {
  if (encrypted || lastEncrypted === undefined) return undefined;
  return finding(
    'encryption-lost',
    'fail',
    `This backup is not encrypted, and an earlier one, ${lastEncrypted}, is: anybody who reads the store reads the data.`,
    {
      hint: 'Check that `age-recipients` still arrives (a variable or secret that does not exist is empty), and take another backup. If it is meant, take ten: only the last ten are compared. What lies in clear is removed by deleting its folder, `manifest.json` first.',
    },
  );
}

/** How many of the newest backups tell whether a source is encrypted. */
const ENCRYPTION_HISTORY = 10;

/** The id of the newest backup that the names of its artifacts call encrypted, of the last ten; oldest first. */
export function lastEncryptedOf(history: readonly CatalogBackup[]): string | undefined {
  const recent = history.filter(isComplete).slice(-ENCRYPTION_HISTORY);
  return recent.findLast(({ artifacts }) => artifacts.some(({ key }) => key.endsWith('.age')))?.id;
}

function nameOf({ database, host, port }: ServerInfo): string {
  return `database "${database}" on ${host}${port === null || host.startsWith('/') ? '' : `:${port}`}`;
}
