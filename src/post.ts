import { hostname } from 'node:os';
import { z } from 'zod';
import { actions } from './actions/index.ts';
import { Failure, messageOf } from './core/failure.ts';
import { isSourceName } from './core/keys.ts';
import type { Log, World } from './core/ports.ts';
import { safetySourceOf } from './core/restore-names.ts';
import { removeUnfinished } from './core/unfinished.ts';
import { stepInputs, variableOf } from './github/environment.ts';
import type { Environment } from './github/inputs.ts';
import { githubLog } from './github/log.ts';
import { redactor, secretsOf } from './github/masks.ts';
import { openToolkit } from './github/toolkit.ts';
import { realWorld } from './world.ts';

/** What a step wrote down before it did anything. */
const Started = z.object({ host: z.string(), pid: z.int(), at: z.iso.datetime() });

const STALL_MS = 60_000;

/**
 * Cleans up after a step that was killed, or gave up waiting for its own clean-up. A step that came to its end did so itself, and then this
 * does nothing. Never fails: the job has its verdict, and what could not be removed is said.
 */
export async function post(): Promise<void> {
  const env = process.env;
  if (env.STATE_finished !== 'true' && env.STATE_started !== undefined) await cleanUp(env, env.STATE_started);
  // Red until here, by `dist/post.js`.
  process.exitCode = 0;
}

async function cleanUp(env: Environment, started: string): Promise<void> {
  const schemas = Object.values(actions).map(({ inputs }) => inputs);
  const redact = redactor(secretsOf(schemas, stepInputs(env), env));
  const log = githubLog(await openToolkit(), { debug: env.RUNNER_DEBUG === '1', redact });
  log.info('The step ended before it could clean up. Removing what it left.');
  const world = realWorld({ env, log, signal: new AbortController().signal, stallMs: STALL_MS, redact });
  await attempt(log, () => removeLocal(world, env));
  await attempt(log, () => removeStored(world, env, started));
}

/** Children, scratch servers and directories on this machine. */
async function removeLocal(world: World, env: Environment): Promise<void> {
  const engine = await world.openEngine('postgresql');
  const scratchDir = inputOf(env, 'scratch-dir') ?? world.scratchDir;
  for (const line of await engine.removeLeftovers(scratchDir)) world.log.info(line);
}

/** Unfinished backups of this very process, in every store. */
async function removeStored(world: World, env: Environment, state: string): Promise<void> {
  const started = Started.parse(JSON.parse(state));
  const source = inputOf(env, 'source') ?? '';
  if (!isSourceName(source) || started.host !== hostname()) return;
  const maker = { ...started, startedAt: new Date(started.at) };
  for (const url of (inputOf(env, 'store') ?? '').split(/\s+/).filter((part) => part !== '')) {
    await attempt(world.log, async () => {
      const store = await world.openStore(url);
      // A restore backs its target up, too.
      for (const name of new Set([source, safetySourceOf(source)])) {
        for (const line of await removeUnfinished(store, name, maker)) world.log.info(line);
      }
      await store.close();
    });
  }
}

function inputOf(env: Environment, name: string): string | undefined {
  return stepInputs(env)[name] ?? (env[variableOf(name)] || undefined);
}

async function attempt(log: Log, clean: () => Promise<void>): Promise<void> {
  try {
    await clean();
  } catch (error) {
    const hint = error instanceof Failure && error.hint !== undefined ? ` ${error.hint}` : '';
    log.warning(`Not everything could be removed: ${messageOf(error)}${hint}`);
  }
}
