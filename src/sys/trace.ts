import type { Command } from './process.ts';

let write: ((line: string) => void) | undefined;

/** Where the lines of `tracedStart` go, for the whole process; nowhere when undefined. */
export function traceTo(log: ((line: string) => void) | undefined): void {
  write = log;
}

/**
 * Says which program is started, and with what; `args` hold no secrets.
 *
 * @returns says how it ended and after what time
 */
export function tracedStart({ program, args }: Pick<Command, 'program' | 'args'>): (how: string) => void {
  const startedAt = performance.now();
  write?.(`Starting ${[program, ...args].map(quoted).join(' ')}`);
  return (how) => write?.(`${program} ${how} after ${((performance.now() - startedAt) / 1000).toFixed(2)} s`);
}

/** As a shell would take it, so that the line can be copied. */
function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
