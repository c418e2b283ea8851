import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import { judgeSchedules } from '../../src/core/schedule-judgement.ts';
import type { ScheduledWorkflow, Schedules, WaitingJob } from '../../src/core/schedules.ts';
import { at } from '../fixtures.ts';

const HOUR_MS = 3_600_000;
const now = at('2026-11-21T12:00:00Z');
const ago = (hours: number) => new Date(now.getTime() - hours * HOUR_MS);

const nightly: ScheduledWorkflow = {
  file: 'nightly.yml',
  state: 'active',
  updatedAt: ago(1_000),
  crons: ['17 3 * * *'],
  longestGapMs: 24 * HOUR_MS,
  lastRunAt: ago(9),
};

function known(workflow: Partial<ScheduledWorkflow> = {}, rest: Partial<Schedules> = {}): Schedules {
  return {
    readWorkflow: async () => ({ ...nightly, ...workflow }),
    waitingJobs: async () => [],
    runners: async () => undefined,
    ...rest,
  };
}

async function judged(schedules: Schedules, status = 'fail') {
  const findings = await judgeSchedules(['nightly.yml'], schedules, now);
  return findings.filter((finding) => finding.status === status).map(({ rule, message }) => `${rule}: ${message}`);
}

it('passes a workflow that is enabled, ran of late and waits for nobody', async () => {
  expect(await judged(known(), 'pass')).toEqual([
    'schedules-readable: nightly.yml could be looked up.',
    'schedule-disabled: nightly.yml is enabled.',
    'schedule-overdue: nightly.yml last ran by its schedule 9h ago, within twice its interval of 1d (17 3 * * *).',
    'runner-offline: nightly.yml waits for no runner.',
  ]);
});

it.each([
  ['disabled_inactivity', 'was disabled by GitHub, since nobody changed the repository for 60 days.'],
  ['disabled_manually', 'was disabled by hand.'],
  ['disabled_some_day', 'is not active (disabled_some_day).'],
])('finds that a workflow is %s', async (state, said) => {
  expect(await judged(known({ state }))).toEqual([`schedule-disabled: nightly.yml ${said}`]);
});

describe('finds a schedule that is overdue', () => {
  it.each([
    [48, []],
    [
      49,
      [
        'schedule-overdue: nightly.yml last ran by its schedule 2d 1h ago, more than twice its interval of 1d (17 3 * * *).',
      ],
    ],
  ])('after %i hours: %j', async (hours, expected) => {
    expect(await judged(known({ lastRunAt: ago(hours) }))).toEqual(expected);
  });

  it('when it never ran, counted from when GitHub got to know it', async () => {
    expect(await judged(known({ lastRunAt: undefined, updatedAt: ago(47) }))).toEqual([]);
    expect(await judged(known({ lastRunAt: undefined, updatedAt: ago(50) }))).toHaveLength(1);
  });

  it('when it has none any more', async () => {
    expect(await judged(known({ crons: [], longestGapMs: undefined }))).toEqual([
      'schedule-overdue: nightly.yml has no schedule on the default branch.',
    ]);
  });
});

describe('finds a job that waits for a runner', () => {
  const waiting = (hours: number): WaitingJob[] => [
    { name: 'backup', since: ago(hours), labels: ['self-hosted', 'Linux'] },
  ];
  const runner = (isOnline: boolean, labels = ['self-hosted', 'linux', 'x64']) => ({ name: 'db-1', isOnline, labels });

  it.each<[string, number, Partial<Schedules>, string, string[]]>([
    ['not yet, within an hour', 1, {}, 'fail', []],
    [
      'by the time alone',
      3,
      {},
      'fail',
      ['runner-offline: nightly.yml: the job backup has waited 3h for a runner with self-hosted, Linux.'],
    ],
    [
      'that is offline',
      3,
      { runners: async () => [runner(false)] },
      'fail',
      [
        'runner-offline: nightly.yml: the job backup has waited 3h for a runner with self-hosted, Linux; db-1 is offline.',
      ],
    ],
    [
      'that does not exist',
      3,
      { runners: async () => [runner(true, ['self-hosted', 'windows'])] },
      'fail',
      [
        'runner-offline: nightly.yml: the job backup has waited 3h for a runner with self-hosted, Linux; the repository has none.',
      ],
    ],
    [
      'that is only busy',
      3,
      { runners: async () => [runner(true)] },
      'warn',
      [
        'runner-offline: nightly.yml: the job backup has waited 3h for a runner with self-hosted, Linux; db-1 is online.',
      ],
    ],
  ])('%s', async (_what, hours, rest, status, expected) => {
    expect(await judged(known({}, { waitingJobs: async () => waiting(hours), ...rest }), status)).toEqual(expected);
  });
});

it('says of a workflow that cannot be looked up that it is not known, and judges the next one', async () => {
  const denied = new Failure('github-denied', 'GitHub did not look up the workflow (403): no.', { hint: 'Grant it.' });
  const readWorkflow = async (file: string) => {
    if (file === 'nightly.yml') return nightly;
    throw denied;
  };
  const findings = await judgeSchedules(['gone.yml', 'nightly.yml'], known({}, { readWorkflow }), now);
  expect(findings[0]).toMatchObject({
    rule: 'schedules-readable',
    status: 'unknown',
    subject: 'gone.yml',
    hint: 'Check that `schedules` names a file in .github/workflows. Grant it.',
  });
  expect(findings).toHaveLength(5);
  const stopped = async () => Promise.reject(new Failure('cancelled', 'Stopped.'));
  await expect(judgeSchedules(['nightly.yml'], known({}, { readWorkflow: stopped }), now)).rejects.toThrow('Stopped.');
});
