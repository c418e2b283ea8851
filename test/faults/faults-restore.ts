import { execFile } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { clientBinDir, type TestPostgres } from '../servers/postgresql.ts';
import { findElsewhere, inventoryOf } from './elsewhere.ts';
import type { Fault, Injection } from './fault.ts';
import type { Ground } from './ground.ts';
import { after, during } from './moments.ts';
import { type PostgresProxy, postgresProxy } from './postgres-proxy.ts';
import { kill, processesIn } from './processes.ts';
import type { Run } from './program.ts';
import type { Dice } from './random.ts';
import type { Site } from './site.ts';

const execute = promisify(execFile);

/** A part of the time that the largest table takes. */
const LASTS_MS = 300;
/** The one that rows are being written by. */
const RESTORING = `FROM pg_stat_activity
  WHERE datname LIKE 'lifeboat_drill%' AND state = 'active' AND query LIKE 'COPY %' LIMIT 1`;

/** False when there is nobody right now. */
type Act = (server: TestPostgres, proxy: PostgresProxy) => Promise<boolean>;

const tell =
  (call: string): Act =>
  async (server) =>
    (await server.psql(`SELECT ${call}(pid) ${RESTORING}`)) === 't';
/** Of the whole server, while somebody restores. */
const strike =
  (act: (server: TestPostgres, proxy: PostgresProxy) => unknown): Act =>
  async (server, proxy) => {
    if ((await server.psql(`SELECT 1 ${RESTORING}`)) === '') return false;
    return (await act(server, proxy)) !== false;
  };

const BROKE = /->.*(log of that server|reaches its host)/s;
const CANCELLED = /->.*pg_cancel_backend/s;

const cutAll = strike((_, proxy) => proxy.cutAll());
const fallSilent = strike((_, proxy) => proxy.fallSilent());
const restart = (mode: 'fast' | 'immediate') => strike((server) => server.restart(mode));

async function cut(server: TestPostgres, proxy: PostgresProxy): Promise<boolean> {
  const port = await server.psql(`SELECT client_port ${RESTORING}`);
  return port !== '' && proxy.cut(Number(port));
}

export const restoreFaults: readonly Fault[] = [
  elsewhere('the connection is cut', BROKE, cut),
  elsewhere('every connection is cut', BROKE, cutAll),
  elsewhere('the server falls silent', /no answer for.*->.*stall-timeout/s, fallSilent),
  elsewhere('the backend is terminated', BROKE, tell('pg_terminate_backend')),
  elsewhere('the statement is cancelled', CANCELLED, tell('pg_cancel_backend')),
  elsewhere('a backend crashes', BROKE, strike(crash)),
  elsewhere('the server is restarted', BROKE, restart('fast')),
  elsewhere('the server is restarted at once', BROKE, restart('immediate')),
  killedBeforeMark(),
  own('the backend is terminated', /->.*dmesg/s, 'pg_terminate_backend'),
  own('the statement is cancelled', CANCELLED, 'pg_cancel_backend'),
];

/** What the kernel does when memory runs out: the postmaster ends every session and recovers. */
function crash(server: TestPostgres): boolean {
  const victim = processesIn(server.dataDir).find(({ pid }) => pid !== server.pid);
  return victim !== undefined && kill(victim.pid);
}

function elsewhere(what: string, says: RegExp, act: Act): Fault {
  return {
    ...{ group: 'Restore', name: `during a restore elsewhere ${what}`, action: 'restore-drill', store: 'file' },
    ...{ expected: 'fails', says, moments: 2 },
    inject: (site, dice, ground) => injectElsewhere(site, dice, ground, act),
  };
}

async function injectElsewhere(site: Site, dice: Dice, ground: Ground, act: Act): Promise<Injection> {
  const server = await ground.elsewhere();
  const proxy = await postgresProxy(server.port);
  const through = server.url.replace(`:${server.port}/`, `:${proxy.port}/`);
  let hit = false;
  return {
    changed: { words: scratchUrl(site, through) },
    hit: () => hit,
    during: async (run) => {
      const isThere = async () => (await server.psql(`SELECT 1 ${RESTORING}`)) !== '';
      hit = await meet(run, dice, isThere, () => act(server, proxy));
    },
    mend: async () => {
      proxy.close();
      await isUp(server);
    },
    check: await leavesNothing(site, server),
  };
}

/** After the next drill there is on it what there was before, no more and no less. */
async function leavesNothing(site: Site, server: TestPostgres): Promise<() => Promise<string[]>> {
  const before = await inventoryOf(server);
  return async () => [...(await drillAgain(site, server)), ...(await findElsewhere(server, before))];
}

/** Between `CREATE DATABASE` and its comment: the one is held up by a lock until the other would be, too. */
function killedBeforeMark(): Fault {
  return {
    ...{ group: 'Restore', name: 'kill -9 of node before its database elsewhere is marked', action: 'restore-drill' },
    ...{ store: 'file', expected: 'fails', mayLeave: true, moments: 1 },
    inject: async (site, _, ground) => {
      const server = await ground.elsewhere();
      const held = await hold(server, 'pg_database', 'SHARE');
      let hit = false;
      return {
        changed: { words: scratchUrl(site, server.url) },
        hit: () => hit,
        during: async (run) => {
          const isWaiting = (what: string) => during(run, () => waitingFor(server, what));
          if ((await isWaiting('CREATE DATABASE')) === undefined) return;
          const marking = await hold(server, 'pg_shdescription', 'EXCLUSIVE');
          await held();
          const pid = await isWaiting('COMMENT ON DATABASE');
          hit = pid !== undefined && kill(run.pid);
          // Else it would wait on, and mark what its client no longer knows of.
          await server.psql(`SELECT pg_terminate_backend(${pid ?? 0})`);
          await marking();
        },
        mend: held,
        check: await leavesNothing(site, server),
      };
    },
  };
}

/** Locks a table of the server; the result gives it free. */
async function hold(server: TestPostgres, table: string, mode: string): Promise<() => Promise<void>> {
  const mark = `held ${table}`;
  const holding = server
    .psql(`SET application_name = '${mark}'; BEGIN; LOCK TABLE ${table} IN ${mode} MODE; SELECT pg_sleep(120)`)
    .catch(() => {}); // it is ended below
  const mine = `FROM pg_stat_activity WHERE application_name = '${mark}'`;
  while ((await server.psql(`SELECT 1 ${mine} AND query LIKE '%pg_sleep%' AND wait_event = 'PgSleep'`)) === '')
    await delay(20);
  return async () => {
    await server.psql(`SELECT pg_terminate_backend(pid) ${mine}`);
    await holding;
  };
}

async function waitingFor(server: TestPostgres, statement: string): Promise<number | undefined> {
  const pid = await server.psql(
    `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '${statement}%'`,
  );
  return pid === '' ? undefined : Number(pid);
}

/** Not on the command line, where it would be refused. */
function scratchUrl({ scratchDir }: Site, url: string): string[] {
  const file = `${scratchDir}.url`;
  writeFileSync(file, url, { mode: 0o600 });
  return ['--scratch-url-file', file];
}

/** Acts on what is there, at a random moment of its life; false when the run ends before. */
async function meet(
  run: Run,
  dice: Dice,
  isThere: () => Promise<boolean>,
  act: () => Promise<boolean>,
): Promise<boolean> {
  // Of a scratch server that just starts there is nobody to ask.
  const until = (holds: () => Promise<boolean>) =>
    during(run, async () => (await holds().catch(() => false)) || undefined);
  if ((await until(isThere)) === undefined) return false;
  return (await after(run, dice.share() * LASTS_MS)) && (await until(act)) === true;
}

async function drillAgain(site: Site, server: TestPostgres): Promise<string[]> {
  const { code, report, log } = await site.start('restore-drill', { words: scratchUrl(site, server.url) }).ended;
  if (code === 0 && report?.outputs.proof === 'proven') return [];
  return [`The next drill on the other server ended with ${code}: ${log.slice(-300)}`];
}

async function isUp(server: TestPostgres): Promise<void> {
  for (const end = Date.now() + 30_000; ; await delay(100)) {
    const up = await server.psql('SELECT 1').catch((error: unknown) => error);
    if (up === '1') return;
    if (Date.now() > end) throw new Error('The other server did not come up again.', { cause: up });
  }
}

function own(what: string, says: RegExp, call: string): Fault {
  return {
    ...{ group: 'Restore', name: `during a restore ${what}`, action: 'restore-drill', store: 'file' },
    ...{ expected: 'fails', says, moments: 2 },
    inject: async (site, dice) => {
      let hit = false;
      return {
        hit: () => hit,
        during: async (run) => {
          const isThere = async () => (await askScratch(site, `SELECT 1 ${RESTORING}`)) !== '';
          const act = async () => (await askScratch(site, `SELECT ${call}(pid) ${RESTORING}`)) === 't';
          hit = await meet(run, dice, isThere, act);
        },
      };
    },
  };
}

/** Over its socket, the only way there is. */
async function askScratch({ scratchDir, server }: Site, sql: string): Promise<string> {
  const names = existsSync(scratchDir) ? readdirSync(scratchDir) : [];
  const folder = names.find((name) => name.startsWith('scratch-')) ?? 'none';
  const args = ['-XqAt', '-h', join(scratchDir, folder, 's'), '-U', server.superuser, '-d', 'postgres', '-c', sql];
  return (await execute(join(clientBinDir(), 'psql'), args)).stdout.trim();
}
