import type { z } from 'zod';
import { Failure } from '../core/failure.ts';
import { describeInputs, type Environment, type RawInputs } from './inputs.ts';

const OURS = 'LIFEBOAT_';
/** Switches of the tests; never inputs. */
const TESTS = 'LIFEBOAT_TEST_';

/** The variable that may stand in for an input: `age-identity` is `LIFEBOAT_AGE_IDENTITY`. */
export function variableOf(input: string): string {
  return OURS + input.toUpperCase().replaceAll('-', '_');
}

/** What the step was given: `INPUT_MY-KEY` is `my-key`. The runner sets every declared input, empty when absent. */
export function stepInputs(env: Environment): RawInputs {
  const entries = Object.entries(env)
    .filter((entry): entry is [string, string] => entry[0].startsWith('INPUT_') && Boolean(entry[1]))
    .map(([name, value]) => [name.slice('INPUT_'.length).toLowerCase(), value]);
  return Object.fromEntries(entries);
}

/**
 * Adds what the environment says of inputs that were not given and may come from there. `none` in
 * either place means "not given", so that a step can switch off what the job's environment set.
 *
 * @param own inputs of the action that runs
 * @param all inputs of every action: a variable that another action reads is no mistake here
 * @throws {Failure} `invalid-input` for a `LIFEBOAT_*` variable that nothing reads
 */
export function addEnvironment(
  given: RawInputs,
  env: Environment,
  own: z.ZodObject,
  all: readonly z.ZodObject[],
): RawInputs {
  refuseUnknownVariables(env, all);
  return fillFromEnvironment(given, env, own);
}

/** The same, whatever else the environment holds. */
export function fillFromEnvironment(given: RawInputs, env: Environment, own: z.ZodObject): RawInputs {
  const raw: Record<string, string> = { ...given };
  for (const { name } of describeInputs(own).filter((input) => input.env)) {
    const value = given[name] || env[variableOf(name)] || 'none';
    if (value === 'none') delete raw[name];
    else raw[name] = value;
  }
  return raw;
}

/** Inputs of a step, then its environment; defaults are applied by `parseInputs`. */
export function readInputs(env: Environment, own: z.ZodObject, all: readonly z.ZodObject[] = [own]): RawInputs {
  return addEnvironment(stepInputs(env), env, own, all);
}

function refuseUnknownVariables(env: Environment, all: readonly z.ZodObject[]): void {
  const known = new Set(
    all.flatMap((schema) => describeInputs(schema).flatMap(({ name, env }) => (env ? [variableOf(name)] : []))),
  );
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith(OURS) && !name.startsWith(TESTS) && !known.has(name),
  );
  if (unknown.length === 0) return;
  const verb = unknown.length === 1 ? 'is no variable' : 'are no variables';
  throw new Failure('invalid-input', `${unknown.join(', ')} in the environment ${verb} of Lifeboat.`, {
    hint: `Remove or rename it. There are ${[...known].sort().join(', ')}; every other input must be in the step.`,
  });
}
