import type { Environment } from './github/inputs.ts';
import type { Origin } from './github/publish.ts';
import { tool } from './tool.ts';
import { runInfo } from './world.ts';

/** Who says what a report says: for whoever reads it without the run at hand. */
export function originOf(action: string, env: Environment, startedAt: Date): Origin {
  const times = { startedAt: startedAt.toISOString(), finishedAt: new Date().toISOString() };
  return { action, ...times, tool, run: runInfo(env) };
}
