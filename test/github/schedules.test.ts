import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { judgeSchedules } from '../../src/core/schedule-judgement.ts';
import { intervalOf } from '../../src/github/schedule-interval.ts';
import { openSchedules } from '../../src/github/schedules.ts';
import { openWorkflowReader } from '../../src/github/toolkit.ts';
import { at } from '../fixtures.ts';
import { type GitHub, startGitHub } from './stand-in/server.ts';
import type { State, StoredRun } from './stand-in/state.ts';

const HOUR_MS = 3_600_000;
const now = at('2026-11-21T12:00:00Z');
const log = {
  info: () => {},
  warning: () => {},
  debug: () => {},
  group: <T>(_: string, use: () => Promise<T>) => use(),
};

const content = "name: Nightly\non:\n  schedule:\n    - cron: '17 3 * * *'\n  workflow_dispatch:\njobs: {}\n# ↓ long\n";
const run = (id: number, event: string, status: string, hours: number, jobs: StoredRun['jobs'] = []): StoredRun => ({
  id,
  workflow: 'nightly.yml',
  event,
  status,
  createdAt: new Date(now.getTime() - hours * HOUR_MS),
  jobs,
});

async function setUp(changes: Partial<State> = {}) {
  const workflow = { file: 'nightly.yml', name: 'Nightly', content, createdAt: at('2026-01-01') };
  const github: GitHub = await startGitHub({ workflows: [{ ...workflow, state: 'active' }], ...changes });
  const env = { GITHUB_API_URL: github.apiUrl, GITHUB_REPOSITORY: 'acme/operations' };
  const signal = new AbortController().signal;
  const schedules = await openSchedules({ token: github.state.token, env, log, signal, now: () => now });
  if (schedules === undefined) throw new Error('There is a repository.');
  return { github, schedules };
}

it('reads state, schedule and last run by schedule', async () => {
  const runs = [
    run(1, 'schedule', 'completed', 33),
    run(2, 'schedule', 'completed', 9),
    run(3, 'push', 'completed', 1),
  ];
  const { schedules } = await setUp({ runs });
  expect(await schedules.readWorkflow('nightly.yml')).toEqual({
    file: 'nightly.yml',
    state: 'active',
    updatedAt: at('2026-01-01'),
    crons: ['17 3 * * *'],
    longestGapMs: 24 * HOUR_MS,
    lastRunAt: at('2026-11-21T03:00:00Z'),
  });
});

it('knows of no run where there was none', async () => {
  const { schedules } = await setUp({ runs: [run(3, 'push', 'completed', 1)] });
  expect(await schedules.readWorkflow('nightly.yml')).toMatchObject({ lastRunAt: undefined });
});

it('finds jobs that wait, also behind others of their run', async () => {
  const jobs = [
    { name: 'backup', status: 'completed', labels: ['self-hosted'] },
    { name: 'freshness', status: 'queued', labels: ['self-hosted', 'linux'] },
  ];
  const runs = [run(1, 'schedule', 'queued', 3, jobs.slice(1)), run(2, 'push', 'in_progress', 2, jobs)];
  const { schedules } = await setUp({ runs: [...runs, run(3, 'push', 'completed', 9, jobs)] });
  const waiting = await schedules.waitingJobs('nightly.yml');
  const labels = ['self-hosted', 'linux'];
  expect(waiting).toEqual([
    { name: 'freshness', labels, since: at('2026-11-21T09:00:00Z') },
    { name: 'freshness', labels, since: at('2026-11-21T10:00:00Z') },
  ]);
});

it('sees runners where the token may', async () => {
  const { schedules, github } = await setUp({ runners: [{ name: 'db-1', status: 'offline', labels: ['linux'] }] });
  expect(await schedules.runners()).toBeUndefined();
  github.state.may.runners = true;
  expect(await schedules.runners()).toEqual([{ name: 'db-1', isOnline: false, labels: ['linux'] }]);
});

it.each<[string, Partial<State['may']>, string]>([
  ['a file that is not there', {}, 'gone.yml'],
  ['a token that may not read runs', { actions: 'none' }, 'nightly.yml'],
  ['a token that may not read files', { contents: 'none' }, 'nightly.yml'],
])('says what to grant for %s', async (_what, may, file) => {
  const { schedules, github } = await setUp();
  Object.assign(github.state.may, may);
  await expect(schedules.readWorkflow(file)).rejects.toMatchObject({
    hint: 'Grant the job `permissions: actions: read` and `contents: read`.',
  });
});

it('knows no schedules where there is no repository', async () => {
  const signal = new AbortController().signal;
  expect(await openSchedules({ token: 'x', env: {}, log, signal, now: () => now })).toBeUndefined();
});

describe('an API that is none', () => {
  const html = { status: 200, headers: { 'content-type': 'text/html' }, message: '<html>Log in</html>' };

  it.each([
    ['workflows/{workflow_id}', 'look up the workflow'],
    ['workflows/{workflow_id}/runs', 'list runs of the workflow'],
    ['runs/{run_id}/jobs', 'list jobs of a run'],
  ])('that answers %s with a page leaves the workflow unknown', async (route, what) => {
    const { schedules, github } = await setUp({ runs: [run(1, 'schedule', 'queued', 3)] });
    github.misdeeds.push({ ...html, route: `GET /repos/{owner}/{repo}/actions/${route}`, times: 99 });
    const [only, ...others] = await judgeSchedules(['nightly.yml'], schedules, now);
    expect(others).toEqual([]);
    expect(only).toMatchObject({ rule: 'schedules-readable', status: 'unknown' });
    expect(only?.message).toMatch(
      `nightly.yml could not be judged. GitHub answered what is not its API: asked to ${what}, it sent`,
    );
    expect(only?.hint).toContain('Check GITHUB_API_URL');
  });

  it('says which part of an answer is wrong', async () => {
    const { schedules, github } = await setUp();
    github.misdeeds.push({ status: 200, times: 1 });
    await expect(schedules.readWorkflow('nightly.yml')).rejects.toMatchObject({
      code: 'github-invalid',
      message:
        'GitHub answered what is not its API: asked to look up the workflow, it sent something else at `state`: Invalid input: expected string, received undefined',
    });
  });
});

it('takes nothing for a moment that is none', async () => {
  const { schedules, github } = await setUp();
  const body = { workflow_runs: [{ id: 1, created_at: 'of late' }] };
  github.misdeeds.push({
    route: 'GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs',
    status: 200,
    body,
    times: 1,
  });
  await expect(schedules.readWorkflow('nightly.yml')).rejects.toMatchObject({
    code: 'github-invalid',
    message: expect.stringMatching('at `workflow_runs.0.created_at`: it is no moment'),
  });
});

describe('an API that is silent', () => {
  /** Timeouts that pass when the test says so. */
  function timeouts() {
    const made: { readonly ms: number; readonly end: () => void }[] = [];
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      const controller = new AbortController();
      const end = () => controller.abort(new DOMException('Timed out.', 'TimeoutError'));
      made.push({ ms, end });
      return controller.signal;
    });
    onTestFinished(() => timeout.mockRestore());
    return made;
  }

  it('is asked again', async () => {
    const made = timeouts();
    const { schedules, github } = await setUp();
    github.before = () => {
      github.before = async () => {};
      made.find(({ ms }) => ms === 20_000)?.end();
      return new Promise(() => {});
    };
    expect(await schedules.readWorkflow('nightly.yml')).toMatchObject({ state: 'active' });
    expect(github.requests.slice(0, 2)).toEqual(
      Array.from({ length: 2 }, () => 'GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}'),
    );
  });

  it('leaves every workflow unknown when the time for all of them is over', async () => {
    const made = timeouts();
    const { schedules, github } = await setUp();
    github.before = () => {
      made.find(({ ms }) => ms === 120_000)?.end();
      return new Promise(() => {});
    };
    const findings = await judgeSchedules(['nightly.yml', 'weekly.yml'], schedules, now);
    expect(findings.map(({ status, message }) => `${status}: ${message}`)).toEqual([
      'unknown: nightly.yml could not be judged. There was no time left to look up the workflow.',
      'unknown: weekly.yml could not be judged. There was no time left to look up the workflow.',
    ]);
    expect(github.requests).toHaveLength(1);
  });
});

describe('the longest gap', () => {
  const gapOf = async (on: string) => intervalOf(`on:\n${on}`, now, await openWorkflowReader()).longestGapMs;
  const lines = (...crons: string[]) => `  schedule:\n${crons.map((cron) => `    - cron: '${cron}'\n`).join('')}`;

  it.each([
    [['17 3 * * *'], 24],
    [['*/15 * * * *'], 0.25],
    [['0 3 * * 1-5'], 72],
    [['42 1,7,13,19 * * *'], 6],
    [['0 9 * * 1', '0 9 * * 4'], 96],
    [['0 0 1 * *'], 744],
    [['*/5 8-17 * * MON-FRI'], 62 + 5 / 60],
    [['30 4 1 1 *'], 8_784],
  ])('of %j is %d hours', async (crons, hours) => {
    expect(((await gapOf(lines(...crons))) ?? 0) / HOUR_MS).toBeCloseTo(hours, 5);
  });

  it.each(['  workflow_dispatch:\n', '  schedule:\n', '  [push]\n', '  schedule: []\n'])(
    'of %j is none',
    async (on) => {
      expect(await gapOf(on)).toBeUndefined();
    },
  );

  it('of a time zone is that of its clock', async () => {
    expect(await gapOf(`${lines('0 3 * * *')}      timezone: Europe/Berlin\n`)).toBe(25 * HOUR_MS);
  });

  it.each([lines('61 3 * * *'), lines('every day'), '  - ]\n'])('of %j cannot be read', async (on) => {
    await expect(gapOf(on)).rejects.toThrow('Its schedule cannot be read');
  });
});
