import type { Log } from '../core/ports.ts';
import { guardStream, type Past } from './stream-guard.ts';

export type Core = typeof import('@actions/core');

/** GitHub's own toolkit, and the way past the guard of stdout for the commands that it writes there. */
export interface Toolkit {
  readonly core: Core;
  readonly past: Past;
}

/**
 * Guards both streams and loads the toolkit. At run time and here alone: with it comes an HTTP client
 * that costs a step some 25 ms, and the command line, where a command for a runner would be nothing
 * but a secret in clear, must not have it at all.
 */
export async function openToolkit(): Promise<Toolkit> {
  const past = guardStream(process.stdout);
  guardStream(process.stderr);
  return { core: await import('@actions/core'), past };
}

/** Has the runner hide these in every log. Where no runner reads, it would print them. */
export function registerMasks({ core, past }: Toolkit, secrets: readonly string[]): void {
  if (process.env.GITHUB_ACTIONS !== 'true') return;
  past(() => {
    for (const secret of secrets) core.setSecret(secret);
  });
}

/** Without its file, core falls back to printing a command with the value in it: then nothing is set. */
export function setOutput({ core }: Toolkit, name: string, value: string): void {
  if (process.env.GITHUB_OUTPUT) core.setOutput(name, value);
}

/** Keeps a value for `post`. A step does its work also when that fails. */
export function saveState({ core }: Toolkit, log: Log, name: string, value: string): void {
  try {
    if (process.env.GITHUB_STATE) core.saveState(name, value);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log.warning(`\`${name}\` could not be saved for the cleaning up after this step: ${message}`);
  }
}
