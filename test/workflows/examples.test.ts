import { describe, expect, it } from 'vitest';
import { type Action, actions } from '../../src/actions/index.ts';
import { parseDuration } from '../../src/core/duration.ts';
import { describeInputs } from '../../src/github/inputs.ts';
import { age } from '../../src/sys/age.ts';
import { blockAfter, readDocument } from '../docs/documents.ts';
import { type Example, type ExampleStep, examples, ourAction, problemsOf, repository } from './examples.ts';

const jobs = examples.flatMap(({ name, workflow }) =>
  Object.entries(workflow.jobs).map(([id, job]) => ({ name, id, job, workflow })),
);
const textOf = (name: string) => examples.find((example) => example.name === name)?.text ?? '';

it('has an example of each main case', () => {
  expect(examples.map(({ name }) => name)).toEqual([
    'backup-matrix.yml',
    'doctor.yml',
    'drill-evidence.yml',
    'freshness-with-notifications.yml',
    'freshness.yml',
    'hourly-partial-backup.yml',
    'nightly-backup.yml',
    'prune-after-drill.yml',
    'restore.yml',
    'status-page.yml',
    'watch-schedules.yml',
    'weekly-drill.yml',
  ]);
  const used = new Set(jobs.flatMap(({ job }) => job.steps.map(ourAction)).filter((name) => name !== undefined));
  expect([...used].toSorted()).toEqual(Object.keys(actions).toSorted());
});

describe("GitHub's language service", () => {
  it.each(examples)('accepts $name, with the inputs of our actions', async ({ text }) => {
    expect(await problemsOf(text)).toEqual([]);
  });

  it.each([
    [
      'an unknown input',
      'source: orders\n          # From',
      'sorce: orders\n          # From',
      "Invalid action input 'sorce'",
    ],
    [
      'a missing input',
      '          source: orders\n          # From',
      '          # From',
      'Missing required input `source`',
    ],
    ['a store that nobody names', /^ {2}LIFEBOAT_STORE: .*\n/m, '', 'Missing required input `store`'],
    ['an action that does not exist', '/lifeboat/backup@v1', '/lifeboat/backups@v1', 'Unable to resolve action'],
    ['a wrong key', 'timeout-minutes: 120', 'timeout-minute: 120', "Unexpected value 'timeout-minute'"],
    ['an unknown permission', 'id-token: write', 'id-tokens: write', "Unexpected value 'id-tokens'"],
    ['a context that is not there', 'secrets.ORDERS', 'secret.ORDERS', "Unrecognized named-value: 'secret'"],
    ['a job that does not exist', 'needs: backup', 'needs: backups', "depends on unknown job 'backups'"],
    ['a schedule that is none', "'17 3 * * *'", "'17 25 * * *'", 'Invalid cron'],
  ])('would notice %s', async (_what, right, wrong, message) => {
    const text = textOf('nightly-backup.yml');
    const broken = text.replace(right, wrong);
    expect(broken).not.toBe(text);
    expect((await problemsOf(broken)).join('\n')).toContain(message);
  });
});

it('accepts the workflow of the README that publishes the status page', async () => {
  expect(await problemsOf(blockAfter(readDocument('README.md'), 'status page on GitHub Pages'))).toEqual([]);
});

describe.each(examples)('$name', (example) => {
  it('names the repository of package.json and the major version, and pins what others wrote', () => {
    for (const step of stepsOf(example)) {
      if (step.uses.startsWith(`${repository}/`)) expect(step.uses).toMatch(/@v1$/);
      else expect(example.text).toMatch(new RegExp(`uses: ${step.uses} # v\\d+\\.\\d+\\.\\d+\\n`));
      if (ourAction(step) === undefined) expect(step.uses).toMatch(/^[\w-]+\/[\w/-]+@[0-9a-f]{40}$/);
    }
  });

  it('may do nothing but ask for a session of the store, open issues, attest, and read the schedules it watches', () => {
    for (const { permissions, steps } of Object.values(example.workflow.jobs)) {
      const reads = steps.some((step) => 'schedules' in step.with) ? { actions: 'read', contents: 'read' } : {};
      const attests = steps.some(({ uses }) => uses.startsWith('actions/attest@'));
      expect(permissions).toEqual({
        'id-token': 'write',
        issues: 'write',
        ...reads,
        ...(attests && { attestations: 'write' }),
      });
    }
  });

  it('takes secrets from `secrets`, and gives a step no more than it needs', () => {
    expect(example.text).not.toMatch(/\bvars\.\w/);
    for (const step of stepsOf(example)) {
      const secret = new Set(secretInputs(step));
      for (const [name, value] of Object.entries(step.with)) {
        if (secret.has(name)) expect(value).toMatch(/^\$\{\{ secrets(\.[A-Z_]+|\[matrix\.secret\]) \}\}$/);
        else expect(value).not.toContain('secrets');
      }
    }
  });

  it('runs on a runner of its own, not at the full hour, on any GitHub server', () => {
    // Who watches must not be down together with what is watched.
    const labels = example.name === 'watch-schedules.yml' ? ['watch'] : [];
    for (const job of Object.values(example.workflow.jobs)) {
      expect(job['runs-on']).toEqual(['self-hosted', 'linux', ...labels]);
    }
    for (const { cron } of example.workflow.on.schedule ?? []) expect(cron).toMatch(/^[1-9]\d? /);
    expect(example.text).not.toContain('github.com');
  });

  it('says above its first concurrency group what becomes of runs that wait', () => {
    const [before = ''] = example.text.split(/^ *concurrency:$/m);
    expect(before.split('\n').slice(-8).join('\n')).toMatch(/GitHub .*(cancels|cancelled)/s);
  });

  it('keeps its own keys of age out: what must be replaced is refused as it stands', () => {
    const recipient = example.workflow.env.LIFEBOAT_AGE_RECIPIENTS;
    if (recipient === undefined) expect(example.text).not.toContain('lifeboat/backup@');
    else expect(() => age.checkRecipients([recipient])).toThrow(recipient);
  });
});

it('watches only workflows that are among the examples', () => {
  const watched = jobs.flatMap(({ job }) => job.steps.flatMap((step) => step.with.schedules?.split('\n') ?? []));
  const names = watched.filter((name) => name !== '');
  expect(names).toContain('nightly-backup.yml');
  for (const name of names) expect(examples.map((example) => example.name)).toContain(name);
});

describe.each(jobs)('$name, job $id', ({ job, workflow }) => {
  const [session, ...rest] = job.steps;
  const ours = rest.map(ourAction);

  it('gets a session first, then runs one action of ours, and keeps its report whatever it found', () => {
    expect(session?.uses).toMatch(/^aws-actions\/configure-aws-credentials@/);
    expect(Object.keys(actions)).toContain(ours[0]);
    for (const { uses, if: condition } of rest.slice(1)) {
      expect(uses).toMatch(/^actions\/(upload-artifact|attest)@/);
      expect(condition).toMatch(/^\$\{\{ !cancelled\(\) && steps\.\w+\.outputs\.report-path != '' \}\}$/);
    }
  });

  it('gives up by itself before the runner ends it, and its session outlives both', () => {
    const limitSeconds = job['timeout-minutes'] * 60;
    const timeoutMs = parseDuration(rest[0]?.with.timeout ?? '');
    expect(timeoutMs / 1000).toBeLessThanOrEqual(limitSeconds - 300);
    // `post` may take five minutes after the job's own time is over.
    expect(Number(session?.with['role-duration-seconds'])).toBeGreaterThanOrEqual(limitSeconds + 300);
  });

  it('never runs twice at a time when it writes, and is never cut short', () => {
    const group = job.concurrency?.group ?? workflow.concurrency?.group;
    if (ours[0] !== 'verify-freshness') expect(group ?? '', 'its concurrency group').toMatch(/\w/);
    if (job.strategy !== undefined && group !== undefined) expect(group).toContain('${{ matrix.source }}');
  });

  it('asks for freshness in a job of its own, and prunes only behind a drill', () => {
    if (ours[0] === 'verify-freshness' && job.needs !== undefined) expect(job.if).toBe('${{ !cancelled() }}');
    if (ours[0] !== 'prune') return;
    expect(job).toMatchObject({ needs: 'drill' });
    expect(job.if).toBeUndefined();
    expect(workflow.jobs.drill?.steps.map(ourAction)).toContain('restore-drill');
  });
});

it('restores only by hand, behind a plan, an approval and a name that is typed', () => {
  const restore = examples.find(({ name }) => name === 'restore.yml');
  expect(restore?.workflow.on.schedule).toBeUndefined();
  const { plan, restore: job } = restore?.workflow.jobs ?? {};
  const [planned, done] = [plan?.steps.at(-1)?.with, job?.steps.at(-1)?.with];
  expect(planned?.['dry-run']).toBe('true');
  expect(job).toMatchObject({ needs: 'plan', environment: 'restore-orders', if: '${{ !inputs.only-plan }}' });
  expect(done?.confirm).toBe('${{ inputs.confirm }}');
  // What was approved is what is done.
  for (const name of ['source', 'backup', 'target-url', 'mode', 'swap', 'confirm']) {
    expect(done?.[name]).toBe(planned?.[name]);
  }
});

function stepsOf({ workflow }: Example): ExampleStep[] {
  return Object.values(workflow.jobs).flatMap(({ steps }) => steps);
}

function secretInputs(step: ExampleStep): string[] {
  const action = (actions as Readonly<Record<string, Action>>)[ourAction(step) ?? ''];
  if (action === undefined) return [];
  return describeInputs(action.inputs).flatMap(({ name, secret }) => (secret ? [name] : []));
}
