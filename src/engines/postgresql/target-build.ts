import { Failure } from '../../core/failure.ts';
import type { Finding } from '../../core/report.ts';
import { globalsOf } from './build-database.ts';
import { type OpenArtifact, type RestoreTarget, restoreArchives } from './restore.ts';
import { dropWhatSourceLacked } from './restore-database.ts';
import { restoreJobs } from './restore-plan.ts';
import { createRoles } from './target-create-roles.ts';
import { applySettings, createClosed, notApplied, planFinishing } from './target-database.ts';
import { hasDatabase } from './target-databases.ts';
import { dropUnfinished } from './target-drop.ts';
import { inDatabase, type Lent } from './target-lent.ts';
import { refuseMissingRoles } from './target-roles.ts';

/** Makes a database of the backup; it is closed to others until it is finished, and gone when that fails. */
export async function buildTarget(lent: Lent, database: string, open: OpenArtifact): Promise<Finding[]> {
  const { session, request } = lent;
  refuseOlder(lent);
  if (await hasDatabase(session, database)) {
    throw new Failure('guard-refused', `There is a database ${database} already.`, {
      hint: 'Look what it holds, rename or drop it, and restore again.',
    });
  }
  const target = restoreTarget(lent, database);
  const roles = request.ownership.createRoles ? await createRoles(lent, await globalsOf(target, open)) : [];
  await refuseMissingRoles(lent);
  try {
    await createClosed(lent, database);
    const settings = await applySettings(lent, database);
    const lacked = await dropWhatIsNew(lent, database);
    const restored = await restoreArchives(target, open);
    return [...roles, ...settings, ...lacked, ...restored, ...(await planFinishing(lent, database))];
  } catch (error) {
    // What went wrong is what the reader needs; that something was left is said in the log.
    await dropUnfinished(lent).catch((left: unknown) => lent.context.log.warning(String(left)));
    throw error;
  }
}

function refuseOlder({ major, request }: Lent): void {
  const { server } = request.manifest;
  if (major >= server.major) return;
  const message = `The target server is PostgreSQL ${major}; the backup comes from ${server.major}, and no dump goes back to an older major.`;
  throw new Failure('guard-refused', message, { hint: `Restore to a server of major ${server.major} or later.` });
}

function restoreTarget(lent: Lent, database: string): RestoreTarget {
  const { client, session, request, folder, context } = lent;
  const { manifest, facts, part, ownership, jobs, signal } = request;
  const { owner, role } = ownership;
  return {
    ...{ client, session, database, manifest, facts, folder, signal, part, ...context },
    tuned: false,
    place: 'target',
    jobs: restoreJobs(manifest, jobs),
    ownership: { owner, ...(role !== undefined && { role }) },
  };
}

/** What every new database has and the source's had lost; not ours to drop where it belongs to the superuser. */
async function dropWhatIsNew(lent: Lent, database: string): Promise<Finding[]> {
  try {
    await inDatabase(lent, database, (session) => dropWhatSourceLacked(session, lent.request.facts));
    return [];
  } catch (error) {
    if (!(error instanceof Failure) || lent.request.signal.aborted) throw error;
    return [notApplied('That the schema public or the language plpgsql is gone', error)];
  }
}
