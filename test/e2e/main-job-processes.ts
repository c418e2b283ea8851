import { readdirSync, readFileSync } from 'node:fs';

/** A program that ran while it was looked at. */
export interface Seen {
  readonly program: string;
  readonly cmdline: string;
  readonly environ: string;
}

/**
 * Looks at every descendant of this process while `use` runs, as any user of the machine may look at its
 * arguments and its owner at its environment.
 *
 * @param except processes whose descendants are not looked at: servers of the test
 */
export async function watchChildren<T>(
  except: readonly number[],
  use: () => Promise<T>,
): Promise<{ result: T; seen: Seen[] }> {
  const seen = new Map<string, Seen>();
  const look = () => {
    for (const pid of descendants(process.pid, new Set(except))) {
      const [cmdline, environ] = [read(pid, 'cmdline'), read(pid, 'environ')];
      // Between fork and exec a child still has the words of its parent.
      if (cmdline !== '') seen.set(`${pid} ${cmdline}`, { program: programOf(cmdline), cmdline, environ });
    }
  };
  const timer = setInterval(look, 8);
  try {
    return { result: await use(), seen: [...seen.values()] };
  } finally {
    clearInterval(timer);
  }
}

function descendants(pid: number, except: ReadonlySet<number>): number[] {
  return childrenOf(pid)
    .filter((child) => !except.has(child))
    .flatMap((child) => [child, ...descendants(child, except)]);
}

function childrenOf(pid: number): number[] {
  const threads = tasksOf(pid).map((task) => read(pid, `task/${task}/children`));
  return threads.flatMap((line) =>
    line
      .split(' ')
      .filter((word) => word !== '')
      .map(Number),
  );
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // gone
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', '\n').trim();
  } catch {
    return ''; // gone
  }
}

function programOf(cmdline: string): string {
  const words = cmdline.split('\n');
  return (words[0] ?? '').split('/').at(-1)?.split(/[: ]/)[0] ?? '';
}
