import { readFileSync } from 'node:fs';
import { appendFile, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../core/failure.ts';
import type { Manifest } from '../../core/manifest.ts';
import { childEnvironment } from '../../sys/environment.ts';
import { type Running, runText, start } from '../../sys/process.ts';
import { childrenOf } from '../../sys/process-identity.ts';
import type { Isolation } from './isolation.ts';
import { shielded } from './options.ts';
import { type Client, clientIn, findInstallations, type Installation } from './programs.ts';
import { OUT_OF_ROOM, SCRATCH_FULL } from './restore-failure.ts';
import { SCRATCH_PORT, scratchConfiguration } from './scratch-settings.ts';

/** A server of our own: reached by its socket only. */
export interface ScratchServer {
  readonly client: Client;
  /** Ends it and everything it started. `tidy` writes out what is in memory first, for a folder that is kept. */
  stop(how: 'at once' | 'tidy'): Promise<void>;
}

export interface ScratchPlan {
  /** Of the backup, as far as the server is to be like the source's. */
  readonly manifest: Pick<Manifest, 'server' | 'totals'>;
  readonly installation: Installation;
  readonly isolation: Isolation;
  /** Our folder; the server's own folders are made in it. */
  readonly folder: string;
  readonly settings: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

const SOCKET_NAME = `/.s.PGSQL.${SCRATCH_PORT}`;
const SOCKET_LIMIT = 107;
const READY_MS = 120_000;

/**
 * The installed server of `major`, and not a neighbour of it: another major would prove something else.
 *
 * @throws {Failure} `tool-missing`, naming the package
 */
export async function findServer(
  env: NodeJS.ProcessEnv,
  binDir: string | undefined,
  major: number,
): Promise<Installation> {
  const found = await findInstallations(env, binDir, 'postgres');
  const exact = found.find((one) => one.major === major);
  if (exact !== undefined) return exact;
  const others = [...new Set(found.map((one) => one.major))];
  const have =
    others.length === 0
      ? 'There are no server programs of PostgreSQL here'
      : `Only ${others.join(', ')} ${others.length === 1 ? 'is' : 'are'} here`;
  throw new Failure('tool-missing', `A drill of this backup needs the server of PostgreSQL ${major}. ${have}.`, {
    hint: `Install postgresql-${major} on the runner (Debian and Ubuntu: from apt.postgresql.org, with create_main_cluster = false in /etc/postgresql-common/createcluster.conf), or name its folder with \`bin-dir\`.`,
  });
}

/**
 * Makes a cluster with the source's encoding, locale and bootstrap role, and starts it.
 *
 * @throws {Failure} `scratch-failed` with the hint what to install, or the end of the server's log
 */
export async function startScratchServer(plan: ScratchPlan): Promise<ScratchServer> {
  const socketDir = join(plan.folder, 's');
  checkSocketPath(socketDir);
  const dataDir = await makeOwnFolder(plan, 'data');
  await makeOwnFolder(plan, 's');
  await initialise(plan, dataDir);
  const { manifest, settings: allowed } = plan;
  const configuration = scratchConfiguration({
    manifest,
    major: plan.installation.major,
    socketDir,
    freeBytes: process.availableMemory(),
    allowed,
  });
  await appendFile(join(dataDir, 'postgresql.conf'), configuration);
  const launched = plan.isolation.wrap(join(plan.installation.folder, 'postgres'), ['-D', dataDir]);
  const running = start(launched, ['ignore', 'ignore', 'pipe']);
  try {
    await waitUntilReady(running, dataDir, plan.signal);
  } catch (error) {
    await stop(running, plan.isolation, 'at once');
    throw error;
  }
  return { client: await clientOf(plan, socketDir), stop: (how) => stop(running, plan.isolation, how) };
}

function checkSocketPath(socketDir: string): void {
  const bytes = Buffer.byteLength(socketDir + SOCKET_NAME);
  if (bytes <= SOCKET_LIMIT) return;
  throw new Failure(
    'scratch-failed',
    `The socket ${socketDir}${SOCKET_NAME} would have a path of ${bytes} bytes; ${SOCKET_LIMIT} are allowed.`,
    {
      hint: 'Give `scratch-dir` a shorter path.',
    },
  );
}

async function makeOwnFolder(plan: ScratchPlan, name: string): Promise<string> {
  const path = join(plan.folder, name);
  await mkdir(path, { mode: 0o700 });
  const { user } = plan.isolation;
  if (user !== undefined) await chown(path, user.uid, user.gid);
  return path;
}

async function initialise(plan: ScratchPlan, dataDir: string): Promise<void> {
  const args = ['-D', dataDir, '--auth=trust', '--no-sync', ...initdbArguments(plan)];
  const command = plan.isolation.wrap(join(plan.installation.folder, 'initdb'), args);
  await runText(command, { signal: plan.signal }).catch((error: unknown) => {
    throw error instanceof Failure && error.code === 'tool-failed' ? explainInitdb(error, plan.manifest) : error;
  });
}

/** As the source's database was made; `template0` then has its locale, and the restored one inherits it. */
function initdbArguments({ manifest, installation }: ScratchPlan): string[] {
  const { server } = manifest;
  const locale = [`--locale=${server.collate}`, `--lc-collate=${server.collate}`, `--lc-ctype=${server.ctype}`];
  const icu = server.icuLocale === undefined ? [] : [`--icu-locale=${server.icuLocale}`];
  const builtin = server.icuLocale === undefined ? [] : [`--builtin-locale=${server.icuLocale}`];
  const provider = server.localeProvider === 'icu' ? icu : server.localeProvider === 'builtin' ? builtin : [];
  return [
    `--username=${server.bootstrapRole}`,
    `--encoding=${server.encoding}`,
    ...locale,
    '--lc-messages=C',
    ...(installation.major >= 15 ? [`--locale-provider=${server.localeProvider}`, ...provider] : []),
    ...(installation.major >= 18 ? ['--no-data-checksums'] : []),
  ];
}

function explainInitdb(error: Failure, { server }: Pick<Manifest, 'server'>): Failure {
  const full = explainFullDisk(error.message, error);
  if (full !== undefined) return full;
  const isLocale = /invalid locale|locale name|could not (open collator|find)|encoding mismatch|ICU is not/i.test(
    error.message,
  );
  if (!isLocale)
    return new Failure('scratch-failed', `The scratch server could not be made: ${withoutLauncher(error.message)}`, {
      cause: error,
      hint: 'Look at the message of initdb above. If it was killed, memory may have run out: look at `dmesg`.',
    });
  const names = [...new Set([server.collate, server.ctype])].join(', ');
  const wanted = `${names}${server.icuLocale === undefined ? '' : `, ${server.localeProvider} ${server.icuLocale}`}`;
  return new Failure(
    'scratch-failed',
    `The source's locale (${wanted}; ${server.encoding}) is missing on this runner: ${lastLine(error.message)}`,
    {
      cause: error,
      hint: `Generate it: add \`${server.collate} ${server.encoding === 'UTF8' ? 'UTF-8' : server.encoding}\` to /etc/locale.gen and run locale-gen (Debian), or \`localedef -i ${server.collate.split('.')[0]} -f UTF-8 ${server.collate}\`. Fedora and RHEL: install glibc-langpack-<language>.`,
    },
  );
}

function lastLine(message: string): string {
  const lines = withoutLauncher(message).trim().split('\n');
  return lines.findLast((line) => line.includes('error:')) ?? lines.join('\n');
}

/** `unshare exited with 1: initdb: error: …`: the launcher only passes on what the program said. */
function withoutLauncher(message: string): string {
  return message.replace(/^\S+ exited with \d+: /, '');
}

/** Others fill a disk too, after its free space was looked at. */
function explainFullDisk(message: string, cause?: unknown): Failure | undefined {
  const line = message.split('\n').find((one) => one.includes('No space left on device'));
  if (line === undefined) return undefined;
  return new Failure('disk-full', `${OUT_OF_ROOM}: ${withoutLauncher(line)}`, {
    cause,
    hint: SCRATCH_FULL,
  });
}

/** The postmaster writes its state into its pid file; asking over the socket would cost a process per try. */
async function waitUntilReady(running: Running, dataDir: string, signal: AbortSignal): Promise<void> {
  let ended = false;
  void running.exit.then(() => {
    ended = true;
  });
  const until = Date.now() + READY_MS;
  while (!isReady(dataDir)) {
    signal.throwIfAborted();
    if (ended || Date.now() > until) throw await explainStart(running, ended);
    await sleep(15);
  }
}

function isReady(dataDir: string): boolean {
  try {
    return readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[7]?.trim() === 'ready';
  } catch {
    return false; // not written yet
  }
}

async function explainStart(running: Running, ended: boolean): Promise<Failure> {
  if (!ended) await running.end('SIGKILL');
  const { stderr } = await running.exit;
  const full = explainFullDisk(stderr);
  if (full !== undefined) return full;
  const how = ended ? 'ended while it started' : `was not ready after ${READY_MS / 1000} s`;
  return new Failure('scratch-failed', `The scratch server ${how}: ${stderr.trim() || 'it said nothing'}`, {
    hint: 'Look at the message of PostgreSQL above; settings given in `scratch-settings` are part of it.',
  });
}

async function stop(running: Running, isolation: Isolation, how: 'at once' | 'tidy'): Promise<void> {
  // The launcher waits for the server, which is process 1 of its namespace; without one it is the server.
  const server = isolation.ownProcesses ? childrenOf(running.pid ?? -1)[0] : running.pid;
  if (how === 'tidy' && server !== undefined) {
    tell(server, 'SIGINT'); // fast shutdown: connections end, a checkpoint is written
    await Promise.race([running.exit, sleep(30_000, undefined, { ref: false })]);
  }
  // Ending process 1 of a namespace ends all of it, programs that left their session included.
  await running.end(isolation.ownProcesses ? 'SIGKILL' : 'SIGQUIT');
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** With nothing of libpq's environment: a PGPORT or PGSERVICE of the step would lead somewhere else. */
async function clientOf(plan: ScratchPlan, socketDir: string): Promise<Client> {
  const { installation } = plan;
  const user = encodeURIComponent(plan.manifest.server.bootstrapRole);
  const url = `postgresql://${user}@/postgres?host=${encodeURIComponent(socketDir)}&port=${SCRATCH_PORT}`;
  const env = childEnvironment(plan.env, { libpq: false });
  return clientIn({ url }, env, await clientFolder(plan), shielded(installation.major));
}

/** Where pg_restore of the server's major is: beside the server, else as near above it as there is. */
async function clientFolder({ env, installation }: ScratchPlan): Promise<string> {
  const beside = await findInstallations(env, installation.folder, 'pg_restore').catch(() => []);
  const all = [...beside, ...(await findInstallations(env, undefined, 'pg_restore'))];
  const newer = all.filter((one) => one.major > installation.major).at(-1);
  const chosen = all.find((one) => one.major === installation.major) ?? newer ?? all[0];
  if (chosen !== undefined) return chosen.folder;
  throw new Failure('tool-missing', `There is no pg_restore of PostgreSQL ${installation.major} on this runner.`, {
    hint: `Install postgresql-client-${installation.major}, or name its folder with \`bin-dir\`.`,
  });
}
