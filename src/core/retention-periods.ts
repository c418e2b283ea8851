import type { CalendarDuration } from './duration.ts';

/** Names the period a moment falls in, e.g. `2026-W47`. */
export type PeriodOf = (at: Date) => string;

export const periods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Period = (typeof periods)[number];

/** A calendar in one time zone. */
export interface Calendar {
  readonly periodOf: Readonly<Record<Period, PeriodOf>>;
  /** The moment `span` before `at`, as Go's `AddDate` counts: years, months, days on the clock on the wall, then hours. */
  before(at: Date, span: CalendarDuration): Date;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Whether this machine knows a time zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** @param timeZone a name of the IANA database, or `UTC`; throws a RangeError for any other */
export function calendarIn(timeZone: string): Calendar {
  const toWall = wallClock(timeZone);
  const iso = (at: Date) => toWall(at).toISOString();
  return {
    periodOf: {
      // With the offset: when clocks go back, one hour comes twice and holds the backups of two hours.
      hourly: (at) => `${iso(at).slice(0, 13)}${offsetText(toWall(at).getTime() - at.getTime())}`,
      daily: (at) => iso(at).slice(0, 10),
      weekly: (at) => isoWeek(toWall(at)),
      monthly: (at) => iso(at).slice(0, 7),
      yearly: (at) => iso(at).slice(0, 4),
    },
    before: (at, span) => new Date(fromWall(toWall, addDate(toWall(at), span)).getTime() - span.hours * HOUR_MS),
  };
}

/** Reads the clock on the wall: a date whose UTC fields are the local ones. */
function wallClock(timeZone: string): (at: Date) => Date {
  if (timeZone === 'UTC') return (at) => at;
  const numeric = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
  const format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...numeric, second: 'numeric' });
  return (at) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return new Date(Date.UTC(year, month - 1, day, hour, minute, second, at.getUTCMilliseconds()));
  };
}

/**
 * The moment at which the wall shows this time. One that a clock change leaves out, or shows twice,
 * is read with the offset that Go's `time.Date` takes, so that `within` means what restic means.
 */
function fromWall(toWall: (at: Date) => Date, wall: Date): Date {
  const offset = (at: number) => toWall(new Date(at)).getTime() - at;
  const guess = wall.getTime() - offset(wall.getTime());
  return new Date(wall.getTime() - offset(guess));
}

/** Days that a month does not have run over into the next: 31 March − 1 month is 3 March. */
function addDate(wall: Date, span: CalendarDuration): Date {
  const moved = new Date(wall);
  moved.setUTCFullYear(
    wall.getUTCFullYear() - span.years,
    wall.getUTCMonth() - span.months,
    wall.getUTCDate() - span.days,
  );
  return moved;
}

/** ISO 8601 week, e.g. `2026-W47`; the Thursday of a week decides which year it belongs to. */
function isoWeek(wall: Date): string {
  const weekday = (wall.getUTCDay() + 6) % 7;
  const thursday = new Date(wall.getTime() + (3 - weekday) * DAY_MS);
  const dayOfYear = (thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / DAY_MS;
  return `${thursday.getUTCFullYear()}-W${String(Math.floor(dayOfYear / 7) + 1).padStart(2, '0')}`;
}

function offsetText(offsetMs: number): string {
  if (offsetMs === 0) return 'Z';
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
