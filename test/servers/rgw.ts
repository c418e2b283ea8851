import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Debian packages that hold the programs below; installed with `--no-install-recommends`. */
export const RGW_PACKAGES = ['ceph-mon', 'ceph-osd', 'radosgw', 'ceph-common'] as const;
const PROGRAMS = ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin', 'ceph', 'ceph-authtool', 'monmaptool'];
const START_MS = 90_000;
const STOP_MS = 10_000;

export interface Rgw {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly dir: string;
  readonly pids: readonly number[];
}

/** Programs that are not installed; empty when a gateway can be started. */
export function missingPrograms(): string[] {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return PROGRAMS.filter((program) => !folders.some((folder) => existsSync(join(folder, program))));
}

/**
 * Starts a single-node Ceph RADOS Gateway that keeps everything in memory: a monitor, one OSD and
 * the gateway, on free ports of 127.0.0.1. Logs and pids lie in `folder`. It outlives this process
 * until `stopRgw`.
 *
 * @param storageClasses beside STANDARD, e.g. `STANDARD_IA`
 */
export async function startRgw(folder: string, storageClasses: readonly string[] = []): Promise<Rgw> {
  const dir = resolve(folder);
  const [monPort, port] = await freePorts(2);
  const keys = { accessKeyId: randomBytes(10).toString('hex'), secretAccessKey: randomBytes(20).toString('hex') };
  const pids: number[] = [];
  try {
    await makeCluster(dir, Number(monPort), Number(port));
    pids.push(await startDaemon(dir, 'ceph-mon', ['-i', 'a']));
    await startOsd(dir, pids);
    await makeUser(dir, keys);
    for (const name of storageClasses) await makeStorageClass(dir, name);
    pids.push(await startDaemon(dir, 'radosgw', ['-n', 'client.rgw.a', '-k', join(dir, 'rgw.keyring')]));
    const endpoint = `http://127.0.0.1:${port}`;
    await waitFor(`the gateway at ${endpoint}`, async () => (await fetch(endpoint)).ok);
    const rgw: Rgw = { endpoint, region: 'us-east-1', ...keys, dir, pids };
    writeFileSync(join(dir, 'rgw.json'), JSON.stringify(rgw), { mode: 0o600 });
    return rgw;
  } catch (error) {
    await stopPids(dir, pids);
    throw error;
  }
}

/** Ends what `startRgw` started in this folder, and removes the folder. */
export async function stopRgw(folder: string): Promise<void> {
  const dir = resolve(folder);
  const { pids } = JSON.parse(readFileSync(join(dir, 'rgw.json'), 'utf8')) as Rgw;
  await stopPids(dir, pids.toReversed());
  rmSync(dir, { recursive: true, force: true });
}

async function makeCluster(dir: string, monPort: number, port: number): Promise<void> {
  const fsid = randomUUID();
  for (const name of ['mon', 'osd', 'log', 'run']) mkdirSync(join(dir, name), { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, 'ceph.conf'), configuration(dir, fsid, monPort, port));
  const ring = join(dir, 'mon.keyring');
  await makeKey(ring, 'mon.', { mon: 'allow *' });
  const everything = { mon: 'allow *', osd: 'allow *', mgr: 'allow *', mds: 'allow *' };
  await makeKey(join(dir, 'admin.keyring'), 'client.admin', everything, ring);
  await makeKey(join(dir, 'rgw.keyring'), 'client.rgw.a', { mon: 'allow rw', osd: 'allow rwx' }, ring);
  await makeKey(
    join(dir, 'osd/keyring'),
    'osd.0',
    { mon: 'allow profile osd', mgr: 'allow profile osd', osd: 'allow *' },
    ring,
  );
  const map = join(dir, 'monmap');
  await run('monmaptool', ['--create', '--addv', 'a', `[v1:127.0.0.1:${monPort}]`, '--fsid', fsid, map]);
  await run('ceph-mon', [...conf(dir), '--mkfs', '-i', 'a', '--monmap', map, '--keyring', ring]);
}

function configuration(dir: string, fsid: string, monPort: number, port: number): string {
  return `[global]
fsid = ${fsid}
mon host = [v1:127.0.0.1:${monPort}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${dir}/admin.keyring
run dir = ${dir}/run
admin socket = ${dir}/run/$name.$pid.asok
log file = ${dir}/log/$name.log
crash dir = ${dir}/log
mon data avail crit = 1
mon data avail warn = 1
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 6442450944
ms bind ipv6 = false
[mon.a]
mon data = ${dir}/mon
[osd.0]
osd data = ${dir}/osd
keyring = ${dir}/osd/keyring
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
rgw gc obj min wait = 1
rgw gc processor period = 5
rgw enable usage log = false
rgw thread pool size = 32
`;
}

async function startOsd(dir: string, pids: number[]): Promise<void> {
  const uuid = randomUUID();
  await waitFor('the monitor', async () => (await ceph(dir, ['mon', 'stat'])).includes('quorum'));
  await ceph(dir, ['osd', 'new', uuid]);
  await run('ceph-osd', [...conf(dir), '-i', '0', '--mkfs', '--no-mon-config', '--osd-uuid', uuid]);
  await ceph(dir, ['osd', 'crush', 'add', 'osd.0', '1.0', 'root=default', 'host=one']);
  pids.push(await startDaemon(dir, 'ceph-osd', ['-i', '0']));
  await waitFor('the OSD', async () => /1 up/.test(await ceph(dir, ['osd', 'stat'])));
}

async function makeUser(dir: string, keys: { accessKeyId: string; secretAccessKey: string }): Promise<void> {
  const user = ['user', 'create', '--uid=test', '--display-name=Test'];
  const access = [`--access-key=${keys.accessKeyId}`, `--secret=${keys.secretAccessKey}`];
  await administer(dir, [...user, ...access]);
}

/** The gateway reads them when it starts. */
async function makeStorageClass(dir: string, name: string): Promise<void> {
  const placement = ['placement', 'add', '--placement-id=default-placement', `--storage-class=${name}`];
  await administer(dir, ['zonegroup', ...placement, '--rgw-zonegroup=default']);
  const pool = `--data-pool=default.rgw.${name.toLowerCase()}.data`;
  await administer(dir, ['zone', ...placement, '--rgw-zone=default', pool]);
}

async function administer(dir: string, args: readonly string[]): Promise<void> {
  const client = ['-n', 'client.rgw.a', '-k', join(dir, 'rgw.keyring')];
  await run('radosgw-admin', [...conf(dir), ...client, ...args], { timeout: START_MS });
}

/** A key in a file of its own, and in the monitor's, which takes all it knows from there. */
async function makeKey(file: string, name: string, caps: Record<string, string>, ring?: string): Promise<void> {
  const allowed = Object.entries(caps).flatMap(([service, cap]) => ['--cap', service, cap]);
  await run('ceph-authtool', ['--create-keyring', file, '--gen-key', '-n', name, ...allowed]);
  if (ring !== undefined) await run('ceph-authtool', [ring, '--import-keyring', file]);
}

async function ceph(dir: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run('ceph', [...conf(dir), '--connect-timeout', '10', ...args], { timeout: 30_000 });
  return stdout + stderr;
}

function conf(dir: string): string[] {
  return ['-c', join(dir, 'ceph.conf')];
}

async function startDaemon(dir: string, program: string, args: readonly string[]): Promise<number> {
  const log = openSync(join(dir, 'log', `${program}.out`), 'a');
  const all = [...conf(dir), '-f', ...args];
  const child: ChildProcess = spawn(program, all, { stdio: ['ignore', log, log], detached: true });
  await new Promise((started, failed) => child.once('spawn', started).once('error', failed));
  child.unref();
  return Number(child.pid);
}

async function waitFor(what: string, isReady: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + START_MS;
  for (;;) {
    const state = await isReady().catch((error: unknown) => error);
    if (state === true) return;
    if (Date.now() > end) throw new Error(`${what} did not come up within ${START_MS / 1000} s`, { cause: state });
    await sleep(150);
  }
}

async function stopPids(dir: string, pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    signal(dir, pid, 'SIGTERM');
    const end = Date.now() + STOP_MS;
    while (isOurs(dir, pid) && Date.now() < end) await sleep(50);
    signal(dir, pid, 'SIGKILL');
  }
}

function signal(dir: string, pid: number, name: NodeJS.Signals): void {
  if (isOurs(dir, pid)) process.kill(pid, name);
}

/** The pid may belong to somebody else by now. */
function isOurs(dir: string, pid: number): boolean {
  try {
    const isAlive = !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return isAlive && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(join(dir, 'ceph.conf'));
  } catch {
    return false;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(async (server) => {
      await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

if (import.meta.main) {
  const [command, folder] = process.argv.slice(2);
  if (command === 'start' && folder !== undefined) console.log(JSON.stringify(await startRgw(folder)));
  else if (command === 'stop' && folder !== undefined) await stopRgw(folder);
  else throw new Error('Usage: node test/servers/rgw.ts start|stop FOLDER');
}
