import type { Finding } from '../../core/report.ts';
import { type OpenArtifact, type RestoreTarget, restoreArchives } from './restore.ts';
import { createDatabase, dropWhatSourceLacked } from './restore-database.ts';
import { readGlobalsText } from './restore-roles.ts';
import { openSession } from './session.ts';

/** The text of the globals artifact; undefined when the backup has none. */
export async function globalsOf(target: RestoreTarget, open: OpenArtifact): Promise<string | undefined> {
  const artifact = target.manifest.artifacts.find(({ role }) => role === 'globals');
  return artifact === undefined ? undefined : readGlobalsText(await open(artifact), target.env);
}

/** Creates the database as the source's was, and restores the archives into it. Roles are there already. */
export async function buildDatabase(
  target: RestoreTarget,
  given: { comment: string; explicitLocale: boolean },
  open: OpenArtifact,
): Promise<Finding[]> {
  const properties = await makeDatabase(target, given);
  return [...properties, ...(await restoreArchives(target, open))];
}

/** Creates the database as the source's was, without anything in it. */
export async function makeDatabase(
  target: RestoreTarget,
  given: { comment: string; explicitLocale: boolean },
): Promise<Finding[]> {
  const { session, database, client, facts, manifest, signal } = target;
  // The manifest of an encrypted backup has none.
  const settings = facts?.settings ?? manifest.server.settings;
  const properties = await createDatabase(session, { name: database, manifest, settings, ...given });
  const fresh = await openSession(client, { applicationName: 'lifeboat', database, signal });
  try {
    await dropWhatSourceLacked(fresh, facts);
  } finally {
    await fresh.close();
  }
  return properties;
}
