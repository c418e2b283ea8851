import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Process {
  readonly pid: number;
  /** What the kernel calls it: `psql`, `pg_dump`, `node`. */
  readonly name: string;
}

/** Every process that was started by or for the step with this tracking id, zombies left out. */
export function processesOf(trackingId: string): Process[] {
  const mark = `RUNNER_TRACKING_ID=${trackingId}`;
  return pids()
    .filter((pid) => readQuietly(`/proc/${pid}/environ`).split('\0').includes(mark))
    .flatMap(describe);
}

/** Processes that work in a folder or below it, as a scratch server's do. */
export function processesIn(folder: string): Process[] {
  return pids()
    .filter((pid) => {
      const path = linkQuietly(`/proc/${pid}/cwd`);
      return path === folder || path.startsWith(`${folder}/`);
    })
    .flatMap(describe);
}

/** SIGKILL by its id; false when it had ended before. */
export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): boolean {
  // 0 and negative numbers are whole groups of processes, -1 every one there is.
  if (pid <= 1) return false;
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function describe(pid: number): Process[] {
  const status = readQuietly(`/proc/${pid}/status`);
  const name = /^Name:\t(.*)$/m.exec(status)?.[1];
  return name === undefined || /^State:\tZ/m.test(status) ? [] : [{ pid, name }];
}

function pids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It ended in between.
  }
}

function linkQuietly(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
