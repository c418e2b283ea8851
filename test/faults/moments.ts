import { setTimeout as delay } from 'node:timers/promises';
import { type Process, processesIn, processesOf } from './processes.ts';
import type { Run } from './program.ts';

const LOOK_MS = 3;

/** Waits until `found` gives something; undefined when the program ends first. */
export async function during<T>(run: Run, found: () => T | undefined | Promise<T | undefined>): Promise<T | undefined> {
  while (run.isRunning()) {
    const one = await found();
    if (one !== undefined) return one;
    await delay(LOOK_MS);
  }
  return undefined;
}

/** False when the program ends before. */
export async function after(run: Run, ms: number): Promise<boolean> {
  await Promise.race([delay(ms, undefined, { ref: false }), run.ended]);
  return run.isRunning();
}

/** Children of a kind; those of a scratch server too. */
export function childrenNamed(run: Run, name: string, scratchDir: string): Process[] {
  const all = [...processesOf(run.trackingId), ...processesIn(scratchDir)];
  return all.filter((one) => one.pid !== run.pid && one.name === name);
}

/** Of an undisturbed run, from its first child on: later than this it may be over, since machines are not equally busy. */
const LATEST = 0.7;

/** Waits for a random moment of a run that has begun its work; false when the program ends before. */
export async function randomMoment(run: Run, share: number, usualMs: number): Promise<boolean> {
  const hasBegun = await during(run, () => (run.processes().length > 1 ? true : undefined));
  return hasBegun === true && (await after(run, share * usualMs * LATEST));
}
