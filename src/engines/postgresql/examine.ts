import { existsSync } from 'node:fs';
import { judgeClock } from '../../core/backup-report.ts';
import { Failure } from '../../core/failure.ts';
import type { Connection, ExamineRequest } from '../../core/ports.ts';
import { type Finding, finding } from '../../core/report.ts';
import type { RuleId } from '../../core/rules.ts';
import { formatBytes } from '../../core/size.ts';
import type { Connecting } from './connecting.ts';
import type { EngineContext } from './engine.ts';
import { examineRights } from './examine-rights.ts';
import { planIsolation } from './isolation.ts';
import { anyClient, clientForMajor, findInstallations } from './programs.ts';
import { findServer } from './scratch-server.ts';
import { readServerInfo } from './server-info.ts';
import { identifier, literal, type Session } from './session.ts';

/** A backup holds so many while it runs. */
const CONNECTIONS = 4;

type Context = EngineContext & { readonly connections: Connecting };

/** Looks at programs, database and isolation without changing anything; what stands in the way is a finding. */
export async function examine(request: ExamineRequest, context: Context): Promise<Finding[]> {
  const { findings, major } = await examineDatabase(request, context);
  return [
    ...findings,
    ...(await examinePrograms(request, context, major)),
    ...(await examineDrills(request, context, major)),
  ];
}

async function examineDatabase(
  request: ExamineRequest,
  context: Context,
): Promise<{ findings: Finding[]; major: number | undefined }> {
  const { url, signal } = request;
  if (url === undefined) return { findings: [], major: undefined };
  const connection = { ...request.programs, url };
  const result = await attempt('database-access', signal, async () => {
    const session = await context.connections.open(
      await anyClient(connection, context.env),
      { applicationName: 'lifeboat doctor', signal },
      signal,
    );
    try {
      return await lookAt(session, context);
    } finally {
      await session.close();
    }
  });
  return Array.isArray(result) ? { findings: result, major: undefined } : result;
}

interface Role {
  readonly name: string;
  readonly superuser: boolean;
  readonly limit: number;
  readonly settings: readonly string[];
}

async function lookAt(session: Session, context: Context): Promise<{ findings: Finding[]; major: number }> {
  const asked = context.now().getTime();
  const { at } = await session.one<{ at: number }>('SELECT extract(epoch FROM clock_timestamp())::float8 AS at');
  const middle = (asked + context.now().getTime()) / 2;
  const { server } = await readServerInfo(session);
  const role = await session.one<Role>(`
    SELECT rolname AS name, rolsuper AS superuser, rolconnlimit AS limit,
      (SELECT coalesce(jsonb_agg(one), '[]') FROM pg_catalog.pg_db_role_setting AS s
        JOIN pg_catalog.pg_database AS d ON d.datname = current_database(), unnest(s.setconfig) AS one
        WHERE s.setrole IN (0, r.oid) AND s.setdatabase IN (0, d.oid)) AS settings
    FROM pg_catalog.pg_roles AS r WHERE rolname = current_user`);
  const where = `${server.database} on ${server.host}`;
  const reached = `PostgreSQL ${server.version} answers for ${where} as ${role.name}${server.standby ? '; it is a standby' : ''}.`;
  return {
    major: server.major,
    findings: [
      finding('database-access', 'pass', reached),
      ...(await examineRights(session, role.name)),
      ...judgeRole(role),
      ...(await judgeSlots(session)),
      judgeClock(Math.round(at - middle / 1_000)),
    ],
  };
}

/** Whatever they are, sessions of ours set them aside; it is said so that nobody looks for the cause in them. */
const SET_ASIDE = /^(statement_timeout|lock_timeout|idle_\w+_timeout|transaction_timeout|search_path|row_security)=/;

function judgeRole({ name, superuser, limit, settings }: Role): Finding[] {
  const who = identifier(name);
  const aside = settings.filter((one) => SET_ASIDE.test(one));
  return [
    ...(superuser
      ? [
          finding(
            'database-settings',
            'warn',
            `${name} is a superuser: whoever gets hold of this URL owns the server.`,
            {
              hint: 'Give backups a role that may only read: `lifeboat init` writes its SQL (README, "The database role").',
            },
          ),
        ]
      : []),
    ...(limit >= 0 && limit < CONNECTIONS
      ? [
          finding(
            'database-settings',
            'fail',
            `${name} may hold ${limit} connections; a backup needs ${CONNECTIONS}.`,
            {
              hint: `\`ALTER ROLE ${who} CONNECTION LIMIT ${CONNECTIONS};\` in psql, as a superuser`,
            },
          ),
        ]
      : []),
    finding(
      'database-settings',
      'pass',
      aside.length === 0
        ? `No time-out is set for ${name}.`
        : `${aside.join(', ')} of ${name} or the database do not hold for backups, which set them aside.`,
    ),
  ];
}

/** One that nobody reads keeps WAL until the disk is full, and then there is no server to back up. */
async function judgeSlots(session: Session): Promise<Finding[]> {
  const slots = await session.query<{ name: string; bytes: number | null }>(`
    SELECT slot_name AS name, CASE WHEN NOT pg_is_in_recovery()
        THEN pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 END AS bytes
    FROM pg_catalog.pg_replication_slots WHERE NOT active ORDER BY 1`);
  return slots.map(({ name, bytes }) => {
    const size = bytes === null ? '' : ` It holds back ${formatBytes(Math.max(0, bytes))} of WAL so far.`;
    return finding('database-settings', 'warn', `Nobody reads the replication slot ${name}.${size}`, {
      hint: `Connect its consumer again, or \`SELECT pg_drop_replication_slot(${literal(name)});\``,
    });
  });
}

async function examinePrograms(request: ExamineRequest, { env }: Context, major: number | undefined) {
  const { programs, url = '', signal } = request;
  const connection = { ...programs, url };
  if (major === undefined) return programs.toolsPrefix === undefined ? listClients(request, env) : [];
  const findings: Finding[] = [];
  for (const program of ['pg_dump', 'pg_dumpall', 'pg_restore', 'psql'] as const) {
    const found = await attempt('runner-program', signal, async () => {
      await clientForMajor(connection, env, { major, program, allowNewer: program === 'psql' });
      return [
        finding(
          'runner-program',
          'pass',
          `${program} ${program === 'psql' ? 'for' : 'of'} PostgreSQL ${major} is here.`,
        ),
      ];
    });
    findings.push(...found);
  }
  return findings;
}

/** Without a server nobody knows which major is wanted. */
async function listClients({ programs, signal }: ExamineRequest, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  return attempt('runner-program', signal, async () => {
    const majors = (await findInstallations(env, programs.binDir, 'pg_dump')).map((one) => one.major);
    if (majors.length > 0)
      return [finding('runner-program', 'pass', `pg_dump of PostgreSQL ${majors.join(', ')} is here.`)];
    return [
      finding('runner-program', 'warn', 'There is no pg_dump on this runner; only backups need it.', {
        hint: '`sudo apt-get install --no-install-recommends postgresql-client`',
      }),
    ];
  });
}

/** Server programs, and how far this machine isolates them: only drills need them, so what is missing warns. */
async function examineDrills(request: ExamineRequest, { env }: Context, major: number | undefined): Promise<Finding[]> {
  const { programs, scratchDir, signal } = request;
  const lenient = (findings: Finding[]) =>
    findings.map((one) => (one.status === 'fail' ? { ...one, status: 'warn' as const } : one));
  const found = await attempt('scratch-server', signal, async () => {
    const [newest] = await findInstallations(env, programs.binDir, 'postgres');
    const server = major === undefined ? newest : await findServer(env, programs.binDir, major);
    if (server === undefined) throw noServer();
    const own = existsSync(scratchDir) ? scratchDir : '/var/tmp';
    const { notIsolated } = await planIsolation(env, { own, programs: server.folder });
    const text = "A scratch server gets no network, and sees no other process and none of the runner's files.";
    return [
      finding('scratch-server', 'pass', `Server programs of PostgreSQL ${server.major} are here, for drills.`),
      notIsolated.length === 0
        ? finding('scratch-isolation', 'pass', text)
        : finding('scratch-isolation', 'warn', notIsolated.join(' '), {
            hint: 'Install util-linux, and allow unprivileged user namespaces: `sysctl kernel.unprivileged_userns_clone=1` on Debian, `sysctl kernel.apparmor_restrict_unprivileged_userns=0` on Ubuntu.',
          }),
    ];
  });
  return lenient(found);
}

function noServer(): Failure {
  return new Failure('tool-missing', 'There are no server programs of PostgreSQL here; only drills need them.', {
    hint: '`sudo apt-get install --no-install-recommends postgresql`, with create_main_cluster = false in /etc/postgresql-common/createcluster.conf',
  });
}

/** What fails becomes a finding: the other checks still tell something. */
async function attempt<T>(rule: RuleId, signal: AbortSignal, look: () => Promise<T>): Promise<T | Finding[]> {
  try {
    return await look();
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    const { message, hint } = error;
    return [finding(rule, 'fail', message.trim(), hint === undefined ? {} : { hint })];
  }
}

/** Runs statements in one session, in their order. */
export async function administer(
  connection: Connection,
  statements: readonly string[],
  context: Context,
  signal: AbortSignal,
): Promise<void> {
  const client = await anyClient(connection, context.env);
  const session = await context.connections.open(client, { applicationName: 'lifeboat init', signal }, signal);
  try {
    for (const statement of statements) await session.execute(statement.replace(/;\s*$/, ''));
  } finally {
    await session.close();
  }
}
