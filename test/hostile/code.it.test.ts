import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { makeHostileDatabase } from './hostile-database.ts';
import { copyProgram, lifeboat, type Outcome } from './lifeboat.ts';

const isRoot = process.getuid?.() === 0;
/** `daemon`: has no rights, and is not who scratch servers of root run as. PostgreSQL wants a user with a name. */
const ORDINARY = 1;
/** Who scratch servers of root run as. */
const NOBODY = 65_534;
const MARK = `lbh-${process.pid}`;

let pg: TestPostgres;
let home: string;
let identity: string;
let from: string;

beforeAll(async () => {
  pg = await startPostgres({ settings: { wal_level: 'logical' } });
  // Not below /tmp, which is hidden as a whole: what is hidden here is hidden by itself.
  home = mkdtempSync('/var/tmp/lbh-');
  chmodSync(home, 0o755);
  from = copyProgram(join(home, 'program'));
  identity = await generateX25519Identity();
});
afterAll(async () => {
  await pg?.stop();
  if (home !== undefined) rmSync(home, { recursive: true, force: true });
});

interface Place {
  readonly uid: number | undefined;
  readonly store: string;
  readonly scratch: string;
  /** A file that the user of the step can read, and what is in it. */
  readonly secretFiles: readonly string[];
  readonly pwned: string;
}

/** The folders of a runner, all of them the user's own. */
function makePlace(name: string, uid: number | undefined): Place {
  const base = join(home, name);
  const folders = ['store', 'scratch', 'runner/_work/_temp', 'home/.ssh'].map((folder) => join(base, folder));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  const secretFiles = [join(base, 'runner/.credentials'), join(base, 'home/.ssh/id'), join(base, 'identity.txt')];
  // What another drill restored.
  mkdirSync(join(base, 'scratch/other'));
  secretFiles.push(join(base, 'scratch/other/rows'));
  // Open to all, so that only being out of sight keeps it.
  for (const file of secretFiles) writeFileSync(file, 'hunter2-in-a-file\n', { mode: 0o644 });
  // A backup of somebody else.
  mkdirSync(join(base, 'store/other'));
  writeFileSync(join(base, 'store/other/manifest.json'), '{}', { mode: 0o644 });
  const pwned = join(base, 'pwned');
  chmodSync(join(base, 'scratch'), 0o755);
  if (uid !== undefined) giveTo(base, uid);
  return { uid, store: join(base, 'store'), scratch: join(base, 'scratch'), secretFiles, pwned };
}

function giveTo(path: string, uid: number): void {
  chownSync(path, uid, uid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) giveTo(join(path, entry.name), uid);
    else chownSync(join(path, entry.name), uid, uid);
  }
}

/** A process whose environment everybody of this user and group may read. */
async function startNeighbour(uid: number, gid = uid): Promise<ChildProcess> {
  const asUser = isRoot ? ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'] : [];
  const [program = '', ...args] = [...asUser, 'sh', '-c', 'echo ready; exec sleep 600'];
  const env = { PATH: process.env.PATH ?? '', NOTE: 'hunter2-of-a-neighbour' };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

const sayings = (outcome: Outcome) =>
  Object.fromEntries(
    outcome.findings
      .filter(({ rule }) => rule === 'assertion')
      .map(({ status, message }) => [message.split(':')[0], status]),
  );
const bad = ({ findings }: Outcome) =>
  findings
    .filter(({ status }) => status !== 'pass')
    .map(({ rule, status, message }) => `${status} ${rule}: ${message}`);

describe.each([
  { who: 'as it is', uid: undefined },
  ...(isRoot ? [{ who: 'as an ordinary user', uid: ORDINARY }] : []),
])('code out of a dump, drilled $who', ({ uid }) => {
  let drilled: Outcome;
  let place: Place;
  let neighbour: ChildProcess;

  afterAll(() => {
    neighbour?.kill();
  });
  beforeAll(async () => {
    neighbour = await startNeighbour(uid ?? NOBODY);
    place = makePlace(uid === undefined ? 'self' : 'user', uid);
    await makeHostileDatabase(pg, { database: 'hostile', pwned: place.pwned, script: looking(place), sql: reaching() });
    const recipient = await identityToRecipient(identity);
    const common = ['--source', 'hostile', '--store', `file://${place.store}`];
    const env = { ...surroundings(place), LIFEBOAT_DATABASE_URL: pg.urlOf('hostile') };
    const made = await lifeboat(['backup', ...common, '--age-recipients', recipient, '--facts', 'fingerprints'], {
      uid,
      env,
      from,
    });
    expect(bad(made), made.stderr).toEqual([]);
    const drill = ['restore-drill', ...common, '--scratch-dir', place.scratch, '--assertions', assertions];
    drilled = await lifeboat(drill, { uid, env: { ...surroundings(place), LIFEBOAT_AGE_IDENTITY: identity }, from });
  }, 120_000);

  it('ran, and was looked at', () => {
    expect(sayings(drilled)['it ran'], drilled.stderr + drilled.stdout).toBe('pass');
  });

  it.each(['no secret', 'no server', 'no store', 'no neighbour', 'no rights'])('finds %s', (name) => {
    expect(sayings(drilled)[name], bad(drilled).join('\n')).toBe('pass');
  });

  it('changes no verdict on what is innocent', () => {
    // `loot` was empty at the source: that the restored one is not, is the truth, and told.
    expect(bad(drilled).filter((line) => !line.includes('loot'))).toEqual([]);
    expect(drilled.findings.find(({ rule }) => rule === 'facts-tables')?.message).toMatch(/public\.loot/);
  });

  it('leaves nothing behind', () => {
    expect(existsSync(place.pwned)).toBe(false);
    expect(outside(place).filter((folder) => existsSync(join(folder, MARK)))).toEqual([]);
    expect(readdirSync(place.scratch)).toEqual(['other']);
    expect(readdirSync(join(place.store, 'hostile'))).toHaveLength(1);
    expect(drilled.stderr).not.toMatch(/^::error|^##\[error/m);
    expect(drilled.peakMegabytes).toBeLessThan(400);
  });
});

/** What a runner gives a step, secrets among it. */
function surroundings(place: Place): Record<string, string> {
  const runner = join(place.secretFiles[0] ?? '', '..');
  return {
    HOME: join(place.secretFiles[1] ?? '', '../..'),
    RUNNER_TEMP: join(runner, '_work/_temp'),
    GITHUB_TOKEN: 'hunter2-token',
    AWS_SECRET_ACCESS_KEY: 'hunter2-aws',
  };
}

/** Where everybody may write, or the user of the step. */
function outside({ store, scratch }: Pick<Place, 'store' | 'scratch'>): string[] {
  return ['/var/tmp', '/tmp', '/dev/shm', '/dev/mqueue', store, scratch, join(scratch, 'other')];
}

function looking({ secretFiles, store, scratch, pwned }: Place): string[] {
  return [
    'echo it ran; env; id; grep CapEff /proc/self/status',
    `for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; done; ls -d /proc/[0-9]* | wc -l | sed 's/^/processes /'`,
    `cat ${secretFiles.join(' ')}`,
    `ls ${store}/other/* && echo saw the store; rm -rf ${store}/*`,
    `ls ${scratch} ${scratch}/.. | sed 's/^/beside: /'`,
    `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${pg.port} && echo reached by tcp'`,
    `${pg.clientDir}/psql -h ${pg.socketDir} -p ${pg.port} -U postgres -c 'SELECT 1' && echo reached by socket`,
    `for d in ${outside({ store, scratch }).join(' ')}; do touch $d/${MARK}; done; mkdir -p ${pwned}`,
    'true',
  ];
}

function reaching(): string[] {
  const conninfo = `host=127.0.0.1 port=${pg.port} user=postgres dbname=postgres`;
  return [
    `INSERT INTO public.loot SELECT pg_read_file('/proc/1/environ')`,
    `CREATE EXTENSION dblink; PERFORM dblink_connect('out', '${conninfo}'); INSERT INTO public.loot VALUES ('reached by dblink')`,
    `CREATE EXTENSION postgres_fdw; CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '${pg.port}', dbname 'postgres');
     CREATE USER MAPPING FOR CURRENT_USER SERVER away OPTIONS (user 'postgres');
     CREATE FOREIGN TABLE far (datname name) SERVER away OPTIONS (schema_name 'pg_catalog', table_name 'pg_database');
     INSERT INTO public.loot SELECT 'reached by fdw ' || datname FROM far`,
  ];
}

const never = (name: string, pattern: string) =>
  `${name}: SELECT NOT EXISTS (SELECT FROM public.loot WHERE line ~ '${pattern}')`;
const assertions = [
  `it ran: SELECT EXISTS (SELECT FROM public.loot WHERE line = 'it ran')`,
  never('no secret', 'hunter2|AGE-SECRET-KEY|^(HOME|GITHUB|LIFEBOAT|INPUT|AWS|RUNNER_TEMP)'),
  never('no server', '^reached'),
  never('no store', 'saw the store'),
  never('no neighbour', '^beside: (other|store)'),
  `no rights: SELECT bool_and(line ~ '^CapEff:\\s*0+$') FROM public.loot WHERE line ~ '^CapEff'`,
].join('\n');

it('would find all of it outside of a drill', async () => {
  const { uid, gid } = statSync(pg.dataDir);
  const place = makePlace('control', isRoot ? uid : undefined);
  const neighbour = await startNeighbour(uid, gid);
  onTestFinished(() => {
    neighbour.kill();
    for (const folder of outside(place)) rmSync(join(folder, MARK), { force: true });
  });
  const { pwned } = place;
  // Its code takes the name for that of a drill.
  await makeHostileDatabase(pg, { database: 'lifeboat_drill_control', pwned, script: looking(place), sql: reaching() });
  const ask = (sql: string) => pg.psql(sql, 'lifeboat_drill_control');
  const answers = assertions.split('\n').map(async (line) => {
    const [name = '', ...sql] = line.split(': ');
    return [name, await ask(sql.join(': '))];
  });
  expect(Object.fromEntries(await Promise.all(answers))).toEqual({
    'it ran': 't',
    'no secret': 'f',
    'no server': 'f',
    'no store': 'f',
    'no neighbour': 'f',
    // PostgreSQL itself refuses to run with any.
    'no rights': 't',
  });
  const loot = await ask('SELECT DISTINCT line FROM loot');
  for (const how of ['by tcp', 'by socket', 'by dblink', 'by fdw template1']) expect(loot).toContain(`reached ${how}`);
  expect(loot).toContain('hunter2-of-a-neighbour');
  expect(loot).toContain('hunter2-in-a-file');
  expect(existsSync(pwned)).toBe(true);
  expect(outside(place).filter((folder) => existsSync(join(folder, MARK)))).toContain('/var/tmp');
  expect(readdirSync(place.store)).toEqual([MARK]);
}, 60_000);
