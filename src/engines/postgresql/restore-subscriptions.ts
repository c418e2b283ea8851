import type { Artifact } from '../../core/manifest.ts';
import { type Finding, finding } from '../../core/report.ts';
import { unzstdCommand } from '../../sys/zstd.ts';
import { type ArchiveEntry, readHead } from './archive-list.ts';
import type { OpenArtifact, RestoreTarget } from './restore.ts';
import { restoreListed } from './restore-keys.ts';

/**
 * Subscriptions are not created: a second subscriber would take the rows of the first one's slot. They are named with
 * the statements that make them, but for how they connect, which may hold a password.
 */
export async function describeSubscriptions(
  target: RestoreTarget,
  lists: ReadonlyMap<Artifact, readonly ArchiveEntry[]>,
  open: OpenArtifact,
): Promise<Finding[]> {
  if (target.part === 'data') return [];
  const statements: string[] = [];
  for (const [artifact, all] of lists) {
    const entries = all.filter(({ what }) => what.startsWith('SUBSCRIPTION '));
    if (entries.length === 0) continue;
    const list = { name: `subscriptions-${artifact.key}.list`, entries };
    const commands = [unzstdCommand(target.env), ...(await restoreListed(target, list, ['-f', '-']))];
    statements.push(...createStatements(await readHead(commands, await open(artifact), target.signal)));
  }
  if (statements.length === 0) return [];
  const message = `${statements.length} subscriptions of the backup were not created, so that this database does not pull in place of the one that does: ${statements.join(' ')}`;
  const hint =
    'Where this database takes the place of the subscriber for good: run these statements with its connection string, then ALTER SUBSCRIPTION … ENABLE and ALTER SUBSCRIPTION … REFRESH PUBLICATION.';
  return [finding('left-out', 'warn', message, { hint, numbers: { subscriptions: statements.length } })];
}

const CREATE = /^CREATE SUBSCRIPTION [\s\S]*?;$/gm;
const CONNECTION = / CONNECTION (?:E?'(?:[^'\\]|''|\\.)*') PUBLICATION /;

/** The statements, with the connection left out. One that is not as pg_dump writes it is cut before it. */
export function createStatements(sql: string): string[] {
  return (sql.match(CREATE) ?? []).map((statement) =>
    CONNECTION.test(statement)
      ? statement.replace(CONNECTION, " CONNECTION '…' PUBLICATION ")
      : `${statement.split(' CONNECTION ')[0]} CONNECTION …;`,
  );
}
