import { formatDuration } from './duration.ts';
import { Failure } from './failure.ts';
import { type Finding, finding } from './report.ts';
import type { Runner, ScheduledWorkflow, Schedules, WaitingJob } from './schedules.ts';

/** GitHub drops runs when it is busy: one that is missing is no news, two are. */
const MISSED_RUNS = 2;
/** Runners are taken over within minutes; a job that waits longer has none, or shares one that is busy. */
const LONGEST_WAIT_MS = 3_600_000;

const DISABLED: Readonly<Record<string, string>> = {
  disabled_inactivity: 'was disabled by GitHub, since nobody changed the repository for 60 days',
  disabled_manually: 'was disabled by hand',
  disabled_fork: 'is disabled, since the repository is a fork',
  deleted: 'was deleted',
};

/**
 * Judges workflows that should run by themselves: enabled, run of late, not waiting for a runner.
 * One that cannot be read is `unknown`.
 */
export async function judgeSchedules(files: readonly string[], schedules: Schedules, now: Date): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const file of files) findings.push(...(await judgeWorkflow(file, schedules, now)));
  return findings;
}

async function judgeWorkflow(file: string, schedules: Schedules, now: Date): Promise<Finding[]> {
  try {
    const workflow = await schedules.readWorkflow(file);
    const waiting = await schedules.waitingJobs(file);
    const late = waiting.filter(({ since }) => now.getTime() - since.getTime() > LONGEST_WAIT_MS);
    const runners = late.length > 0 ? await schedules.runners() : undefined;
    const readable = finding('schedules-readable', 'pass', `${file} could be looked up.`, { subject: file });
    return [readable, judgeState(workflow), judgeRuns(workflow, now), ...judgeWaiting(file, late, runners, now)];
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled' || error.code === 'timed-out') throw error;
    const hint = `Check that \`schedules\` names a file in .github/workflows. ${error.hint ?? ''}`.trim();
    return [unreadable(file, error.message, hint)];
  }
}

/** For a workflow of which nothing is known. */
export function unreadable(file: string, why: string, hint: string): Finding {
  return finding('schedules-readable', 'unknown', `${file} could not be judged. ${why}`, { subject: file, hint });
}

function judgeState({ file, state }: ScheduledWorkflow): Finding {
  if (state === 'active') return finding('schedule-disabled', 'pass', `${file} is enabled.`, { subject: file });
  return finding('schedule-disabled', 'fail', `${file} ${DISABLED[state] ?? `is not active (${state})`}.`, {
    subject: file,
    hint: 'Enable it: Actions, the workflow, "Enable workflow"; or `gh workflow enable`.',
  });
}

function judgeRuns({ file, crons, longestGapMs, lastRunAt, updatedAt }: ScheduledWorkflow, now: Date): Finding {
  if (longestGapMs === undefined) {
    return finding('schedule-overdue', 'fail', `${file} has no schedule on the default branch.`, {
      subject: file,
      hint: 'Put `on: schedule:` back, or take the file out of `schedules`.',
    });
  }
  const limitMs = MISSED_RUNS * longestGapMs;
  const silentMs = now.getTime() - (lastRunAt ?? updatedAt).getTime();
  const isLate = silentMs > limitMs;
  const ago = formatDuration(Math.max(0, silentMs));
  const last =
    lastRunAt === undefined ? `never ran by its schedule (known for ${ago})` : `last ran by its schedule ${ago} ago`;
  const limit = `${isLate ? 'more than' : 'within'} twice its interval of ${formatDuration(longestGapMs)}`;
  return finding('schedule-overdue', isLate ? 'fail' : 'pass', `${file} ${last}, ${limit} (${crons.join(', ')}).`, {
    subject: file,
    numbers: { silentSeconds: Math.round(silentMs / 1000), limitSeconds: Math.round(limitMs / 1000) },
    ...(isLate && { hint: 'Run it by hand, and move its minute away from the full hour, when GitHub drops runs.' }),
  });
}

function judgeWaiting(
  file: string,
  late: readonly WaitingJob[],
  runners: readonly Runner[] | undefined,
  now: Date,
): Finding[] {
  if (late.length === 0) {
    return [finding('runner-offline', 'pass', `${file} waits for no runner.`, { subject: file })];
  }
  return late.map(({ name, since, labels }) => {
    const waitedMs = now.getTime() - since.getTime();
    const fitting = runners?.filter((runner) => labels.every((label) => hasLabel(runner, label)));
    const isBusy = fitting?.some(({ isOnline }) => isOnline) === true;
    const wanted = labels.length === 0 ? 'a runner' : `a runner with ${labels.join(', ')}`;
    const message = `${file}: the job ${name} has waited ${formatDuration(waitedMs)} for ${wanted}${runnerText(fitting)}.`;
    return finding('runner-offline', isBusy ? 'warn' : 'fail', message, {
      subject: file,
      numbers: { waitedSeconds: Math.round(waitedMs / 1000), limitSeconds: LONGEST_WAIT_MS / 1000 },
      hint: isBusy
        ? 'See in the log of that runner what keeps it busy, or give it company.'
        : 'Start the runner, or give one these labels. After 24 hours GitHub cancels the job without a word.',
    });
  });
}

function hasLabel({ labels }: Runner, wanted: string): boolean {
  return labels.some((label) => label.toLowerCase() === wanted.toLowerCase());
}

function runnerText(fitting: readonly Runner[] | undefined): string {
  if (fitting === undefined) return '';
  if (fitting.length === 0) return '; the repository has none';
  const names = fitting.map(({ name, isOnline }) => `${name} is ${isOnline ? 'online' : 'offline'}`);
  return `; ${names.slice(0, 5).join(', ')}`;
}
