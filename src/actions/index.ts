import type { z } from 'zod';
import type { World } from '../core/ports.ts';
import type { Report } from '../core/report.ts';
import type { RawInputs } from '../github/inputs.ts';
import * as backup from './backup.ts';
import * as doctor from './doctor.ts';
import * as prune from './prune.ts';
import * as restore from './restore.ts';
import * as restoreDrill from './restore-drill.ts';
import * as verifyFreshness from './verify-freshness.ts';

/** What an action's file exports, and all that the generator, the entry points and the docs know of it. */
export interface Action {
  /** One sentence for action.yml and the README. */
  readonly description: string;
  /** `z.strictObject({ ...common, … })` of building blocks from `github/inputs.ts`. */
  readonly inputs: z.ZodObject;
  /** Inputs that a command line may give without their names, in this order. */
  readonly positional?: readonly string[];
  /** Name of each output beside the common ones, and a sentence on it. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Parses its own inputs, does the work, says what it found. Rejects with a `Failure` when it could not. */
  readonly run: (raw: RawInputs, world: World) => Promise<Report>;
}

/** A new action is one file and one line here. */
export const actions = {
  backup: { ...backup, run: backup.backup },
  'verify-freshness': { ...verifyFreshness, run: verifyFreshness.verifyFreshness },
  'restore-drill': { ...restoreDrill, run: restoreDrill.restoreDrill },
  prune: { ...prune, run: prune.prune },
  restore: { ...restore, run: restore.restore },
  doctor: { ...doctor, run: doctor.doctor },
} satisfies Record<string, Action>;

export type ActionName = keyof typeof actions;

export function isActionName(name: string): name is ActionName {
  return Object.hasOwn(actions, name);
}
