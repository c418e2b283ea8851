import { Failure } from '../../core/failure.ts';
import { type Options, shielded } from './options.ts';
import { type Client, clientForMajor } from './programs.ts';
import { readServerInfo } from './server-info.ts';
import type { Session } from './session.ts';
import { applicationNameOf, type Lent } from './target-lent.ts';

/** A database cannot be renamed from within. The second where the first is closed to us, or is the target. */
const MAINTENANCE = ['postgres', 'template1'];
const TRY_ANOTHER =
  /database ".*" does not exist|permission denied for database|not currently accepting connections|no pg_hba\.conf entry/;

export type Reaching = Pick<Lent, 'request' | 'context' | 'silence' | 'name'>;
type Connected = Pick<Lent, 'client' | 'session' | 'major' | 'user' | 'applicationName'>;

/**
 * The control session and a client of the server's major, both at home in a maintenance database. The session of the
 * caller's to close.
 */
export async function connectTarget(finder: Client, reaching: Reaching): Promise<Connected> {
  const { request, context, silence } = reaching;
  const applicationName = applicationNameOf(request.restoreId);
  const { session: first, home } = await openMaintenance(finder, reaching, applicationName);
  const { server, user } = await readBoth(first).finally(() => first.close());
  const options = shielded(server.major, user.superuser);
  const client = atHome(await findClient(reaching, options, server.major), home);
  const session = await context.connections.open(client, { applicationName, signal: silence }, request.signal);
  return { client, session, major: server.major, user, applicationName };
}

/** Of the server's major or later; where there is none, one that can read the backup will do for a newer server. */
async function findClient({ request, context }: Reaching, options: Options, major: number): Promise<Client> {
  const given = { program: 'pg_restore', allowNewer: true, options } as const;
  const find = (wanted: number) => clientForMajor(request.connection, context.env, { ...given, major: wanted });
  return find(major).catch((error: unknown) => {
    const { server } = request.manifest;
    if (!(error instanceof Failure) || error.code !== 'tool-version' || server.major >= major) throw error;
    return find(server.major);
  });
}

async function readBoth(session: Session) {
  const { server } = await readServerInfo(session);
  const user = await session.one<Lent['user']>(
    'SELECT rolname AS name, rolsuper AS superuser FROM pg_catalog.pg_roles WHERE rolname = current_user',
  );
  return { server, user };
}

async function openMaintenance(
  finder: Client,
  { request, context, silence, name }: Reaching,
  applicationName: string,
): Promise<{ session: Session; home: string }> {
  const homes = MAINTENANCE.filter((home) => home !== name);
  for (const [at, home] of homes.entries()) {
    try {
      const given = { applicationName, signal: silence };
      return { home, session: await context.connections.open(atHome(finder, home), given, request.signal) };
    } catch (error) {
      const isLast = at === homes.length - 1;
      if (isLast || !(error instanceof Failure) || !TRY_ANOTHER.test(error.message)) throw error;
    }
  }
  throw new Failure('source-denied', 'The target server has no database to connect to beside the target.');
}

/** Connects to `home` where no other database is named. */
function atHome(client: Client, home: string): Client {
  const { target } = client;
  return { ...client, target: { ...target, dsn: (given) => target.dsn({ database: home, ...given }) } };
}
