import { z } from 'zod';
import { Failure, messageOf } from '../core/failure.ts';
import type { WorkflowReader } from './toolkit.ts';

const Schedule = z.array(z.object({ cron: z.string(), timezone: z.string().optional() }));
const Workflow = z.object({ on: z.union([z.object({ schedule: Schedule.nullish() }), z.unknown()]) });

/** Enough to meet every weekday, the end of months and, where runs are rare, of years. */
const MOST_RUNS = 1_000;

export interface Interval {
  readonly crons: readonly string[];
  readonly longestGapMs: number | undefined;
}

/**
 * What a workflow file says of its schedule.
 *
 * @param from where counting begins; the longest gap hardly depends on it
 * @throws {Failure} `github-invalid` when file or lines cannot be read
 */
export function intervalOf(text: string, from: Date, { parseYaml, openCron }: WorkflowReader): Interval {
  try {
    const { on } = Workflow.parse(parseYaml(text));
    const lines = z.object({ schedule: Schedule }).safeParse(on).data?.schedule ?? [];
    const next = lines.map(({ cron, timezone }) => openCron(cron, timezone ?? 'UTC'));
    return { crons: lines.map(({ cron }) => cron), longestGapMs: longestGap(next, from) };
  } catch (cause) {
    const why = messageOf(cause);
    throw new Failure('github-invalid', `Its schedule cannot be read: ${why}`, { cause });
  }
}

type NextRun = (after: Date) => Date | null;

function longestGap(lines: readonly NextRun[], from: Date): number | undefined {
  let longest: number | undefined;
  let last = nextOf(lines, from);
  for (let runs = 1; last !== undefined && runs < MOST_RUNS; runs++) {
    const next = nextOf(lines, last);
    if (next === undefined) break;
    longest = Math.max(longest ?? 0, next.getTime() - last.getTime());
    last = next;
  }
  return longest;
}

function nextOf(lines: readonly NextRun[], after: Date): Date | undefined {
  const times = lines.map((next) => next(after)?.getTime()).filter((time) => time !== undefined);
  return times.length === 0 ? undefined : new Date(Math.min(...times));
}
