import type { CalendarDuration } from './duration.ts';
import { type Calendar, calendarIn, type Period, type PeriodOf, periods } from './retention-periods.ts';

/** How much to keep; what is absent, 0 or an empty span is no rule. `Infinity` keeps one of every period there is. */
export interface RetentionPolicy {
  readonly last?: number;
  readonly counts?: Partial<Readonly<Record<Period, number>>>;
  readonly within?: CalendarDuration;
  readonly withinPeriod?: Partial<Readonly<Record<Period, CalendarDuration>>>;
  /** Of hours, days, weeks, months, years. */
  readonly timeZone: string;
}

/** What a rule needs to know of a backup. */
export interface Dated {
  readonly id: string;
  readonly takenAt: Date;
}

/** What one rule makes of one backup. */
export interface RuleOpinion {
  readonly keep: boolean;
  readonly reason: string;
  /** Another backup would be kept in its place if this one were not there. */
  readonly fillsSlot: boolean;
}

/** Whether the policy says anything at all; without a rule everything would go. */
export function hasKeepRule(policy: RetentionPolicy): boolean {
  const counts = [policy.last, ...Object.values(policy.counts ?? {})];
  const spans = [policy.within, ...Object.values(policy.withinPeriod ?? {})];
  return counts.some((count) => (count ?? 0) > 0) || spans.some(isSpan);
}

/**
 * What every rule says of every backup, in the order of the rules.
 *
 * @param newestFirst only backups that may fill a slot; the first is where `within` is measured from
 */
export function applyKeepRules(newestFirst: readonly Dated[], policy: RetentionPolicy): Map<string, RuleOpinion[]> {
  const calendar = calendarIn(policy.timeZone);
  const opinions = new Map<string, RuleOpinion[]>(newestFirst.map(({ id }) => [id, []]));
  for (const rule of rulesOf(policy, calendar, newestFirst[0]?.takenAt)) {
    let position = 0;
    for (const backup of newestFirst) {
      position += 1;
      opinions.get(backup.id)?.push(rule(backup, position === newestFirst.length));
    }
  }
  return opinions;
}

/** Asked once for each backup, newest first; `isOldest` for the last one. */
type Rule = (backup: Dated, isOldest: boolean) => RuleOpinion;

function rulesOf(policy: RetentionPolicy, calendar: Calendar, newest: Date | undefined): Rule[] {
  const rules: Rule[] = [];
  const count = (name: string, most: number | undefined, periodOf: PeriodOf | undefined) => {
    if ((most ?? 0) > 0) rules.push(rung(name, most ?? 0, periodOf));
  };
  const within = (name: string, span: CalendarDuration | undefined, periodOf: PeriodOf | undefined) => {
    if (newest === undefined || span === undefined || !isSpan(span)) return;
    rules.push(withinSpan(name, span, calendar.before(newest, span), periodOf));
  };
  count('last', policy.last, undefined);
  within('within', policy.within, undefined);
  for (const period of periods) {
    count(period, policy.counts?.[period], calendar.periodOf[period]);
    within(`${period} within`, policy.withinPeriod?.[period], calendar.periodOf[period]);
  }
  return rules;
}

/** The newest of each period, until `most` are found; the oldest of all while that is not yet so. */
function rung(name: string, most: number, periodOf: PeriodOf | undefined): Rule {
  let taken = 0;
  let seen: { period: string; by: string } | undefined;
  const full = { keep: false, fillsSlot: false, reason: `${name} is full (${most})` };
  return ({ id, takenAt }, isOldest) => {
    if (taken >= most) return full;
    const period = periodOf?.(takenAt) ?? id;
    const isNew = period !== seen?.period;
    if (!isNew && !isOldest) return { keep: false, fillsSlot: false, reason: `${name} ${period} has ${seen?.by}` };
    taken += 1;
    seen = { period, by: id };
    const place = Number.isFinite(most) ? `${taken} of ${most}` : String(taken);
    const label = periodOf === undefined ? `${name} ${place}` : `${name} ${period}`;
    return { keep: true, fillsSlot: true, reason: isNew ? label : `oldest, ${name} is not full (${place})` };
  };
}

/** Everything younger than `cutoff`, or the newest of each period there; the moment itself is too old. */
function withinSpan(name: string, span: CalendarDuration, cutoff: Date, periodOf: PeriodOf | undefined): Rule {
  let seen: { period: string; by: string } | undefined;
  const rule = `${name} ${formatSpan(span)}`;
  return ({ id, takenAt }, isOldest) => {
    if (takenAt <= cutoff) return { keep: false, fillsSlot: false, reason: `not ${rule}` };
    if (periodOf === undefined) return { keep: true, fillsSlot: false, reason: rule };
    const period = periodOf(takenAt);
    const isNew = period !== seen?.period;
    if (!isNew && !isOldest) return { keep: false, fillsSlot: false, reason: `${rule}: ${period} has ${seen?.by}` };
    seen = { period, by: id };
    return { keep: true, fillsSlot: true, reason: isNew ? `${rule}: ${period}` : `oldest, ${rule}` };
  };
}

function isSpan(span: CalendarDuration | undefined): boolean {
  return span !== undefined && span.years + span.months + span.days + span.hours > 0;
}

/** As it is typed: `1y2mo3d3h`. */
export function formatSpan({ years, months, days, hours }: CalendarDuration): string {
  const parts = [`${years}y`, `${months}mo`, `${days}d`, `${hours}h`];
  return parts.filter((part) => !/^0\D/.test(part)).join('') || '0d';
}
