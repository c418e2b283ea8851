import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { z } from 'zod';

/** Names one process for ever: its number is given out again after it ended, and after a reboot. */
export const ProcessIdentity = z.object({
  pid: z.int(),
  /** Clock ticks after boot, from /proc/<pid>/stat; null where there is no /proc. */
  startTime: z.string().nullable(),
  bootId: z.string().nullable(),
  /** The namespace in which `pid` means something: a folder may be shared between containers. */
  pidNamespace: z.string().nullable(),
});
export type ProcessIdentity = z.output<typeof ProcessIdentity>;

export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    startTime: startTimeOf(process.pid),
    bootId: textOf('/proc/sys/kernel/random/boot_id'),
    pidNamespace: pidNamespace(),
  };
}

/** Whether the process still runs; undefined when that cannot be told from here. */
export function isAlive(identity: ProcessIdentity): boolean | undefined {
  const here = ownIdentity();
  if (here.bootId !== identity.bootId) return here.bootId === null || identity.bootId === null ? undefined : false;
  if (here.pidNamespace !== identity.pidNamespace) return undefined;
  const startTime = startTimeOf(identity.pid);
  return startTime !== null && startTime === identity.startTime;
}

/** Processes whose working folder is `folder` or lies below it: what a PostgreSQL server's all do. */
export function processesIn(folder: string): number[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => isWithin(folder, workingFolder(pid)))
    .map(Number);
}

function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** The direct children of a process, as the kernel counts them. */
export function childrenOf(pid: number): number[] {
  const text = textOf(`/proc/${pid}/task/${pid}/children`) ?? '';
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map(Number);
}

function startTimeOf(pid: number): string | null {
  // The program's name stands in parentheses and may hold spaces: count from the last one.
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const isZombie = fields[0] === 'Z' || fields[0] === 'X';
  return isZombie ? null : (fields[19] ?? null);
}

function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null; // no Linux
  }
}

function workingFolder(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ''; // ended meanwhile, or somebody else's
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null; // ended meanwhile, or no Linux
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no Linux
  }
}
