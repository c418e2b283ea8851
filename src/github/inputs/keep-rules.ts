import { z } from 'zod';
import { hasKeepRule, type RetentionPolicy } from '../../core/retention.ts';
import { isTimeZone } from '../../core/retention-periods.ts';
import { calendarDuration, countOrAll } from '../inputs.ts';

const keep = (what: string) =>
  countOrAll(`Keep the newest backup of each of the last so many ${what}, or \`all\`.`).optional();
const keepWithin = (what: string) =>
  calendarDuration(
    `Keep the newest backup of each ${what} within this time before the newest backup, e.g. \`1y2mo\`.`,
  ).optional();

const timeZone = z
  .string()
  .refine(isTimeZone, 'Use a name of the IANA time zone database such as `Europe/Berlin`.')
  .meta({
    description: 'Time zone in which hours, days, weeks, months and years begin, e.g. `Europe/Berlin`.',
    env: true,
  });

/** What prune keeps, and what a status page says of it. */
export const keepRules = {
  'keep-last': countOrAll('Keep so many of the last backups, or `all`.')
    .refine((count) => count > 0, '`keep-last: 0` keeps nothing; give at least 1.')
    .optional(),
  'keep-hourly': keep('hours'),
  'keep-daily': keep('days'),
  'keep-weekly': keep('weeks'),
  'keep-monthly': keep('months'),
  'keep-yearly': keep('years'),
  'keep-within': calendarDuration(
    'Keep all backups within this time before the newest backup, e.g. `14d` or `1y2mo3d3h`.',
  ).optional(),
  'keep-within-hourly': keepWithin('hour'),
  'keep-within-daily': keepWithin('day'),
  'keep-within-weekly': keepWithin('week'),
  'keep-within-monthly': keepWithin('month'),
  'keep-within-yearly': keepWithin('year'),
  'time-zone': timeZone.prefault('UTC'),
} as const;

const KeepRules = z.object(keepRules);

/** The policy that keep rules make; undefined when none of them says anything. */
export function policyOf(given: z.output<typeof KeepRules>): RetentionPolicy | undefined {
  const policy = {
    timeZone: given['time-zone'],
    ...defined({ last: given['keep-last'], within: given['keep-within'] }),
    counts: defined({
      hourly: given['keep-hourly'],
      daily: given['keep-daily'],
      weekly: given['keep-weekly'],
      monthly: given['keep-monthly'],
      yearly: given['keep-yearly'],
    }),
    withinPeriod: defined({
      hourly: given['keep-within-hourly'],
      daily: given['keep-within-daily'],
      weekly: given['keep-within-weekly'],
      monthly: given['keep-within-monthly'],
      yearly: given['keep-within-yearly'],
    }),
  };
  return hasKeepRule(policy) ? policy : undefined;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
