import type { World } from '../src/core/ports.ts';
import { realWorld } from '../src/world.ts';

export interface TestWorld {
  readonly world: World;
  /** Lines logged so far; warnings begin with `warning: `. */
  readonly lines: readonly string[];
  abort(reason: Error): void;
}

/** The real world with its log in memory and a signal of its own. */
export function worldForTests(env: NodeJS.ProcessEnv = {}, changes: Partial<World> = {}): TestWorld {
  const lines: string[] = [];
  const abort = new AbortController();
  const log = {
    info: (line: string) => void lines.push(line),
    warning: (line: string) => void lines.push(`warning: ${line}`),
    debug: (line: string) => void lines.push(`debug: ${line}`),
    group: async <T>(title: string, use: () => Promise<T>) => {
      lines.push(title);
      return await use();
    },
  };
  const surroundings = {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LIFEBOAT_TEST_RETRY_WAIT: '0.01', ...env },
    log,
    signal: abort.signal,
    stallMs: 60_000,
    redact: (text: string) => text,
  };
  return { world: { ...realWorld(surroundings), ...changes }, lines, abort: (reason) => abort.abort(reason) };
}
