import { activePin, commonScope, isInFuture } from './catalog.ts';
import type { Scope } from './manifest.ts';
import type { PinMark } from './record-keys.ts';
import { applyKeepRules, hasKeepRule, type RetentionPolicy, type RuleOpinion } from './retention-rules.ts';

export type { RetentionPolicy } from './retention-rules.ts';
export { hasKeepRule } from './retention-rules.ts';

/** What retention needs to know of one backup of a store. */
export interface RetentionCandidate {
  readonly id: string;
  readonly takenAt: Date;
  readonly scope: Scope | undefined;
  readonly pins: readonly PinMark[];
  /** Of the copy in this store. */
  readonly proof: 'proven' | 'disproven' | undefined;
  /** False only when the manifest was read and could not be understood. */
  readonly readable: boolean;
  /** False only when it came out too small and says so. */
  readonly soundSize: boolean;
  /** It was made, or is being written to, a moment ago. */
  readonly inProgress: boolean;
}

export interface RetentionPlan<T extends RetentionCandidate> {
  /** Newest first, with every reason. */
  readonly keep: ReadonlyMap<T, readonly string[]>;
  /** Newest first, with what each rule says. */
  readonly remove: ReadonlyMap<T, readonly string[]>;
  /** Kept in place of another: if one of these is not what it seems, the plan is a different one. */
  readonly decisive: ReadonlySet<T>;
  /** Stays in any case; undefined when nothing under the rules is proven. */
  readonly newestProven: T | undefined;
  /** Passed over by the rules because of their scope; newest first. */
  readonly strangers: readonly T[];
}

/**
 * Decides what may go, and deletes nothing. The newest, the newest proven, pinned, unreadable,
 * unfinished and strange ones stay whatever the policy says; without any keep rule all stay.
 */
export function planRetention<T extends RetentionCandidate>(
  backups: readonly T[],
  policy: RetentionPolicy,
  now: Date,
): RetentionPlan<T> {
  const newestFirst = backups.toSorted(byAgeThenId);
  const scope = scopeUnderRules(newestFirst, now);
  // Only these fill slots: what cannot be restored must not push out what can.
  const sound = newestFirst.filter((backup) => strangeness(backup, scope, now) === undefined && isTrusted(backup));
  const opinions = applyKeepRules(sound, policy);
  const protectedBy = protections(sound, now);
  const newestProven = sound.find(({ proof }) => proof === 'proven');
  const keep = new Map<T, readonly string[]>();
  const remove = new Map<T, readonly string[]>();
  for (const backup of newestFirst) {
    const said = opinions.get(backup.id) ?? [];
    const strange = strangeness(backup, scope, now) ?? lastResort(backup, newestProven?.takenAt);
    const reasons = [...(strange ? [strange] : []), ...protectedBy(backup), ...reasonsOf(said, true)];
    if (reasons.length > 0) keep.set(backup, reasons);
    else if (!hasKeepRule(policy)) keep.set(backup, ['there is no keep rule']);
    else
      remove.set(
        backup,
        isTrusted(backup) ? reasonsOf(said, false) : ['disproven by a drill; a younger one is proven'],
      );
  }
  const strangers = newestFirst.filter((one) => one.readable && !isInFuture(one, now) && one.scope !== scope);
  const decisive = sound.filter(
    (backup, rank) => rank === 0 || opinions.get(backup.id)?.some((said) => said.fillsSlot),
  );
  return { keep, remove, decisive: new Set(decisive), newestProven, strangers };
}

/** Newest first; ids tell apart what was taken in the same second. */
function byAgeThenId(a: RetentionCandidate, b: RetentionCandidate): number {
  return b.takenAt.getTime() - a.takenAt.getTime() || (a.id < b.id ? 1 : -1);
}

/**
 * The scope that the rules apply to; undefined when the newest backup is not of the usual one, and
 * then nothing goes. Otherwise a prune could make the rest the majority, and the next one take that.
 */
function scopeUnderRules(newestFirst: readonly RetentionCandidate[], now: Date): Scope | undefined {
  const past = newestFirst.filter((backup) => !isInFuture(backup, now));
  const usual = commonScope(past.map((backup) => backup.scope).toReversed());
  return past[0]?.scope === usual ? usual : undefined;
}

/** Why the rules do not apply to this backup at all. */
function strangeness(backup: RetentionCandidate, scope: Scope | undefined, now: Date): string | undefined {
  if (!backup.readable) return 'its manifest cannot be read';
  if (isInFuture(backup, now)) return 'dated in the future';
  if (scope === undefined) return 'the newest backup is not of the usual scope';
  if (backup.scope === undefined) return 'its scope is not known';
  return backup.scope === scope ? undefined : `its scope is ${backup.scope}, the source's is ${scope}`;
}

function isTrusted(backup: RetentionCandidate): boolean {
  return backup.proof !== 'disproven';
}

function lastResort(backup: RetentionCandidate, provenAt: Date | undefined): string | undefined {
  if (isTrusted(backup) || (provenAt !== undefined && provenAt > backup.takenAt)) return undefined;
  return 'disproven, but no younger one is proven';
}

/** What stays whatever the policy says; `sound` is newest first. */
function protections<T extends RetentionCandidate>(sound: readonly T[], now: Date): (backup: T) => string[] {
  const newest = sound[0];
  const newestSound = sound.find(({ soundSize }) => soundSize);
  const newestProven = sound.find(({ proof }) => proof === 'proven');
  return (backup) => {
    const pin = activePin(backup, now);
    return [
      ...(backup === newest ? ['newest'] : []),
      ...(backup === newestSound && backup !== newest ? ['newest of sound size'] : []),
      ...(backup === newestProven ? ['newest proven'] : []),
      ...(pin
        ? [pin.until === null ? 'pinned' : `pinned until ${pin.until.toISOString().replace(/\.\d+Z$/, 'Z')}`]
        : []),
      ...(backup.inProgress ? ['in progress'] : []),
    ];
  };
}

function reasonsOf(said: readonly RuleOpinion[], keep: boolean): string[] {
  return said.filter((opinion) => opinion.keep === keep).map(({ reason }) => reason);
}
