import { lookup } from 'node:dns/promises';
import { readFile, stat } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { freeBytesOf } from '../../sys/scratch-dir.ts';
import { askProgram } from '../../sys/short-command.ts';
import type { Client } from './programs.ts';
import type { Session } from './session.ts';

export interface FreeSpace {
  readonly freeBytes: number | null;
  /** Why it is not known. */
  readonly freeUnknown: string | undefined;
}

interface Place {
  folder: string | null;
  pid: number;
  startedAt: number;
}

/**
 * Free bytes where the server keeps its data, when that is on this machine and surely this server's: a wrong number
 * is worse than none.
 */
export async function readFreeSpace(session: Session, client: Client): Promise<FreeSpace> {
  const place = await session.one<Place>(`
    SELECT (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory') AS folder,
      pg_backend_pid() AS pid, floor(extract(epoch FROM pg_postmaster_start_time()))::int8 AS "startedAt"`);
  if (!(await isHere(session.host))) return unknown(`the server is on another machine (${session.host})`);
  const { folder } = place;
  if (folder === null) return unknown('this role may not read `data_directory` (GRANT pg_read_all_settings allows it)');
  if (client.wrapped) return askDf(client, folder);
  const isFolder = await stat(folder).then(
    (state) => state.isDirectory(),
    () => false,
  );
  if (!isFolder) return unknown(`its folder ${folder} is not on this machine: it runs in a container`);
  if (!(await isOfServer(folder, place)))
    return unknown(`it cannot be told from here whether ${folder} on this machine is its folder`);
  return { freeBytes: await freeBytesOf(folder), freeUnknown: undefined };
}

function unknown(why: string): FreeSpace {
  return { freeBytes: null, freeUnknown: why };
}

async function isHere(host: string): Promise<boolean> {
  if (host === '' || host.startsWith('/') || host.startsWith('@')) return true;
  const own = new Set(Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []));
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.some(({ address }) => own.has(address) || /^(127\.|::1$)/.test(address));
}

/** Its own word in the folder, or, where that is closed to us, our backend among the processes of this machine. */
async function isOfServer(folder: string, { pid, startedAt }: Place): Promise<boolean> {
  const said = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => undefined);
  // The third line is when it started, in seconds.
  if (said !== undefined) return Math.abs(Number(said.split('\n')[2]) - startedAt) <= 1;
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return words.startsWith('postgres:');
}

/** Where the programs run, in the words of POSIX: kilobytes available in the fourth column. */
async function askDf(client: Client, folder: string): Promise<FreeSpace> {
  const command = client.command('sh', ['-c', 'test -d "$0" && df -Pk "$0"', folder], { LC_ALL: 'C' });
  const said = await askProgram(command).catch(() => '');
  const kilobytes = Number(said.trim().split('\n').at(-1)?.split(/\s+/)[3]);
  if (!Number.isFinite(kilobytes)) return unknown(`\`df\` behind \`tools-prefix\` does not know ${folder}`);
  return { freeBytes: kilobytes * 1024, freeUnknown: undefined };
}
