import type { Facts } from './facts.ts';
import { messageOf } from './failure.ts';
import type { Finding } from './report.ts';
import type { RuleId } from './rules.ts';

/** What must come of a damage: this rule fails and its message names what was damaged. */
export interface Expectation {
  readonly rule: RuleId;
  readonly names: string;
}

/** A damage to a restored database. */
export type Tampering =
  | {
      /** Of what kind; the same in every database. */
      readonly damage: string;
      /** To what. */
      readonly target: string;
      /** What was read anew to find it. */
      readonly path: string;
      /** What a comparison of `found` with the backup's facts must come to. */
      readonly expect: readonly Expectation[];
      readonly found: Facts;
    }
  | {
      readonly damage: string;
      /** The database has nothing of the kind; facts of this level hold nothing of it; it was tried and failed. */
      readonly notDone: 'none-there' | 'not-in-facts' | 'failed';
      readonly why: string;
    };

/** One damage that was done to a copy, or could not be. */
export interface Trial {
  readonly damage: string;
  /** Which part of the drill looked at it, and what of the backup that part read anew. */
  readonly path: string;
  readonly expected: string;
  /** Rules that failed, of whatever kind. */
  readonly foundBy: string;
  readonly result: 'found' | 'missed' | 'not known' | 'not covered';
  /** Why it was not done, or not known. */
  readonly why?: string;
  /** More facts would see it: something the user can change. */
  readonly byLevel?: boolean;
}

/** Found is what the right rule fails and names; a failure of another rule alone is a miss. */
export function judgeTrial(
  done: { damage: string; path: string; expect: readonly Expectation[] },
  findings: readonly Finding[],
): Trial {
  const { damage, path, expect } = done;
  const failed = findings.filter(({ status }) => status === 'fail');
  const isFound = expect.length > 0 && expect.every((one) => failed.some((finding) => isNamed(one, finding)));
  const rules = [...new Set(failed.map(({ rule }) => rule))];
  return {
    damage,
    path,
    expected: expect.map(({ rule, names }) => `${rule}, naming ${names}`).join(' and '),
    foundBy: rules.length === 0 ? 'nothing' : rules.join(', '),
    result: isFound ? 'found' : 'missed',
  };
}

/** `table app.order` is not named by a message about `table app.orders`. */
function isNamed({ rule, names }: Expectation, finding: Finding): boolean {
  if (finding.rule !== rule) return false;
  const at = ` ${finding.message} `.split(names).slice(1);
  return at.some((rest) => /^[\s:;,.]/.test(rest));
}

export function notCovered(damage: string, why: string, rest: { path?: string; byLevel?: boolean } = {}): Trial {
  const { path = '–', byLevel = false } = rest;
  return { damage, path, expected: '–', foundBy: '–', result: 'not covered', why, ...(byLevel && { byLevel }) };
}

export function notKnown(damage: string, path: string, error: unknown): Trial {
  const why = messageOf(error);
  return { damage, path, expected: '–', foundBy: '–', result: 'not known', why };
}
