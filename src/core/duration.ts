import { Failure } from './failure.ts';

const MS = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;
const DURATION = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/;
const CALENDAR = /^(?:(\d+)y)?(?:(\d+)mo)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?$/;

const DURATION_HINT = 'Use weeks, days, hours, minutes, seconds in this order: `90m`, `26h`, `8d`, `2w`, `1d12h`.';
const CALENDAR_HINT = 'Use years, months, weeks, days, hours in this order: `1y2mo3d3h`, `18mo`, `14d`.';

/**
 * Milliseconds in a duration such as `90m`, `26h`, `1d12h`, `2w`. A bare number is refused, since
 * nobody can tell minutes from hours in it; `0` alone is the same in every unit and is taken.
 *
 * @throws {Failure} `invalid-input`
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  const parts = DURATION.exec(text);
  if (parts === null || text === '') throw notA('duration', text, DURATION_HINT);
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = numbers(parts);
  const ms = weeks * MS.w + days * MS.d + hours * MS.h + minutes * MS.m + seconds * MS.s;
  if (!Number.isSafeInteger(ms)) throw notA('duration', text, 'It is longer than this program can count.');
  return ms;
}

/** A span on the calendar: a month has no fixed length, so it stays in its parts. Weeks are in `days`. */
export interface CalendarDuration {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

/**
 * A calendar duration such as `1y2mo3d3h`. A bare `m` is refused: users of restic mean months with
 * it, everybody else minutes, and a wrong guess deletes backups.
 *
 * @throws {Failure} `invalid-input`
 */
export function parseCalendarDuration(text: string): CalendarDuration {
  const parts = CALENDAR.exec(text);
  if (parts === null || text === '') {
    const hint = /\dm(?!o)/.test(text) ? `Write \`mo\` for months. ${CALENDAR_HINT}` : CALENDAR_HINT;
    throw notA('calendar duration', text, hint);
  }
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0] = numbers(parts);
  const allowed = [years, months, weeks, days, hours].every((part) => part <= 100_000);
  if (!allowed) throw notA('calendar duration', text, 'It is longer than a calendar reaches.');
  return { years, months, days: weeks * 7 + days, hours };
}

/** For people: `850ms`, `5.2s`, `4m 5s`, `1d 2h`; the two largest units, rounded down. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown';
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < MS.s) return `${Math.round(ms)}ms`;
  if (ms < MS.m) return `${Math.floor(ms / 100) / 10}s`;
  const amounts = [
    { unit: 'd', amount: Math.floor(ms / MS.d) },
    { unit: 'h', amount: Math.floor((ms % MS.d) / MS.h) },
    { unit: 'm', amount: Math.floor((ms % MS.h) / MS.m) },
    { unit: 's', amount: Math.floor((ms % MS.m) / MS.s) },
  ];
  const first = amounts.findIndex(({ amount }) => amount > 0);
  const shown = amounts.slice(first, first + 2).filter(({ amount }) => amount > 0);
  return shown.map(({ unit, amount }) => `${amount}${unit}`).join(' ');
}

function numbers(parts: RegExpExecArray): number[] {
  return parts.slice(1).map((digits) => Number(digits ?? 0));
}

function notA(what: string, text: string, hint: string): Failure {
  return new Failure('invalid-input', `"${text}" is not a ${what}.`, { hint });
}
