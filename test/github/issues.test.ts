import { describe, expect, it, vi } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import { type Finding, finding, type Report, report } from '../../src/core/report.ts';
import { at } from '../fixtures.ts';
import { type GitHub, startGitHub } from './stand-in/server.ts';
import type { State, StoredIssue } from './stand-in/state.ts';
import { RUN, type TellingOptions, teller } from './telling.ts';

// The stand-in is no proxy's business. Before the client is loaded, which is when it looks.
for (const name of ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']) vi.stubEnv(name, '');

const tooSmall = finding('size-deviation', 'fail', '4 MB is 90 % below the median of 40 MB.', {
  numbers: { bytes: 4e6 },
  hint: 'Look what became of the rest.',
});
const rightSize = finding('size-deviation', 'pass', '40 MB is as usual.');
const written = finding('backup-written', 'pass', 'The backup is written.');
const noCopy = finding('store-copy', 'fail', 'The copy was not written.', { subject: 's3://acme' });
const broken = finding('run-failed', 'unknown', 'pg_dump exited with 1.', { hint: 'Install it.' });

const of = (...findings: Finding[]): Report => report('Backup of orders', findings, { sources: ['orders'] });
const bad = of(tooSmall, written);
const well = of(rightSize, written);

async function setUp(changes: Partial<State> = {}) {
  const clock = { at: at('2026-11-21T03:15:00Z') };
  const github = await startGitHub({ now: () => clock.at, ...changes });
  return { clock, github, issues: github.state.issues, ...teller(github, clock) };
}

const openOf = ({ state }: GitHub): StoredIssue[] => state.issues.filter((issue) => issue.state === 'open');
const HOUR_MS = 3_600_000;
const later = (clock: { at: Date }, hours: number) => {
  clock.at = new Date(clock.at.getTime() + hours * HOUR_MS);
};

describe('an issue', () => {
  it('is opened for each group that is not well, and says what, since when, what to do and in which run', async () => {
    const { tell, issues } = await setUp();
    expect(await tell(of(tooSmall, noCopy, written))).toBe('broke');
    expect(issues.map(({ title }) => title)).toEqual([
      'orders: 4 MB is 90 % below the median of 40 MB',
      'orders: The copy was not written',
    ]);
    const body = issues[0]?.body ?? '';
    for (const text of [
      '4 MB is 90 %',
      'bytes 4000000',
      'Look what became of the rest.',
      '2026-11-21 03:15 UTC',
      RUN,
    ]) {
      expect(body).toContain(text);
    }
    expect(body).toContain('#### What to do next\n\n1. ');
    expect(body).not.toContain('The copy was not written');
  });

  it('is one while it goes on: the block is kept up to date, with a comment a day at most', async () => {
    const { tell, issues, clock } = await setUp();
    await tell(bad);
    for (const hours of [1, 22, 1, 1]) {
      later(clock, hours);
      expect(await tell(bad)).toBe('still-broken');
    }
    expect(issues).toHaveLength(1);
    expect(issues[0]?.body).toContain('**Seen in:** 5 runs');
    expect(issues[0]?.body).toContain('**Since:** 2026-11-21 03:15 UTC (1d 1h)');
    expect(issues[0]?.comments).toEqual([expect.stringMatching(/^Still not well after 1d, seen in 4 runs\./)]);
  });

  it('is closed as completed, with a comment that links the run, when its group is well', async () => {
    const { tell, issues, clock } = await setUp();
    await tell(bad);
    later(clock, 24);
    expect(await tell(well)).toBe('recovered');
    expect(issues[0]).toMatchObject({ state: 'closed', stateReason: 'completed' });
    expect(issues[0]?.comments).toEqual([expect.stringContaining(`It lasted 1d. [The run](${RUN})`)]);
    expect(await tell(well)).toBe('still-well');
    expect(issues[0]?.comments).toHaveLength(1);
  });

  it('is opened again within seven days, and a new one after that', async () => {
    const { tell, issues, clock } = await setUp();
    await tell(bad);
    await tell(well);
    later(clock, 6 * 24);
    expect(await tell(bad)).toBe('broke');
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({ state: 'open', stateReason: 'reopened' });
    expect(issues[0]?.body).toContain('**Since:** 2026-11-27 03:15 UTC · **Seen in:** 1 run · **Came back:** once');
    expect(issues[0]?.comments.at(-1)).toContain('It is back.');
    await tell(well);
    later(clock, 8 * 24);
    // Somebody wrote into it since: it is closed for as long all the same.
    if (issues[0] !== undefined) issues[0].updatedAt = clock.at;
    expect(await tell(bad)).toBe('broke');
    expect(issues).toHaveLength(2);
  });

  it('stays open while another one is closed, and that is no recovery', async () => {
    const { tell, github } = await setUp();
    await tell(of(tooSmall, noCopy));
    const copied = finding('store-copy', 'pass', 'Copied.');
    expect(await tell(of(tooSmall, copied))).toBe('still-broken');
    expect(openOf(github).map(({ number }) => number)).toEqual([1]);
  });

  it('keeps what people wrote around its block, and a title they gave', async () => {
    const { tell, issues, clock } = await setUp();
    await tell(bad);
    const [issue] = issues as [StoredIssue];
    issue.body = `Ours, says Ann.\r\n\r\n${issue.body.replaceAll('\n', '\r\n')}\n\nAnd here.`;
    issue.title = 'Ann looks into it';
    later(clock, 1);
    await tell(of({ ...tooSmall, message: 'Now 3 MB.' }));
    expect(issue.title).toBe('Ann looks into it');
    expect(issue.body).toMatch(
      /^Ours, says Ann\.\r\n\r\n<!-- lifeboat \{.*\} -->\n[\s\S]*Now 3 MB\.[\s\S]*\n\nAnd here\.$/,
    );
    expect(issue.body.match(/<!-- lifeboat /g)).toHaveLength(1);
    await tell(of({ ...tooSmall, message: '$& and $1.' }));
    expect(issue.body).toContain('\\$&amp; and \\$1.');
  });

  it('takes its title from what is worst now', async () => {
    const { tell, issues } = await setUp();
    await tell(bad);
    await tell(of({ ...tooSmall, message: 'Now 3 MB.' }));
    expect(issues[0]?.title).toBe('orders: Now 3 MB');
  });
});

describe('is found again', () => {
  it('on the second page, among issues and pull requests of others', async () => {
    const { tell, github, issues } = await setUp();
    await tell(bad);
    const [ours] = issues as [StoredIssue];
    for (let number = 2; number <= 130; number++) {
      const isPullRequest = number % 2 === 0;
      // A pull request with our marker is none of ours.
      issues.push({ ...ours, number, isPullRequest, body: isPullRequest ? ours.body : 'The pump is broken.' });
    }
    expect(await tell(bad)).toBe('still-broken');
    expect(issues).toHaveLength(130);
    expect(await tell(well)).toBe('recovered');
    expect(openOf(github)).toHaveLength(129);
    expect(ours.state).toBe('closed');
  });

  it.each([['ann'], [undefined]])('without its label, by its creator %s', async (user) => {
    const { tell, issues, lines } = await setUp({ canPush: false, user });
    await tell(bad, { given: { 'issue-assignees': 'octocat' } });
    expect(issues[0]?.labels).toEqual([]);
    expect(lines).toContain('warning: GitHub dropped labels of issue #1, since this token may not push: lifeboat.');
    expect(lines).toContain('warning: Issue #1 could not be assigned to octocat.');
    expect(await tell(bad)).toBe('still-broken');
    expect(await tell(well)).toBe('recovered');
    expect(await tell(bad)).toBe('broke');
    expect(issues).toHaveLength(1);
  });

  it('when a person took its label off, and another one still has it', async () => {
    const { tell, issues } = await setUp();
    await tell(of(tooSmall, noCopy));
    issues[0]?.labels.pop();
    expect(await tell(bad)).toBe('still-broken');
    expect(issues).toHaveLength(2);
  });

  it('not by a marker that somebody spoiled', async () => {
    const { tell, issues } = await setUp();
    await tell(bad);
    const [issue] = issues as [StoredIssue];
    for (const spoil of ['{', '{"source":1}', '{}']) {
      issue.body = issue.body.replace(/<!-- lifeboat .* -->/, `<!-- lifeboat ${spoil} -->`);
      expect(await tell(well)).toBe('still-well');
    }
  });
});

it('creates labels where they are missing, and none that is there', async () => {
  const { tell, github, issues } = await setUp();
  await tell(bad, { given: { 'issue-labels': 'bug\non call' } });
  expect(issues[0]?.labels).toEqual(['lifeboat', 'bug', 'on call']);
  expect(github.state.labels).toEqual(['bug', 'lifeboat', 'on call']);
  expect(github.requests.filter((route) => route === 'POST /repos/{owner}/{repo}/labels')).toHaveLength(2);
});

it('assigns, and says who cannot be assigned', async () => {
  const { tell, issues, lines } = await setUp();
  await tell(bad, { given: { 'issue-assignees': 'octocat' } });
  expect(issues[0]?.assignees).toEqual(['octocat']);
  expect(await tell(of(noCopy), { given: { 'issue-assignees': 'octocat\nghost' } })).toBe('broke');
  expect(issues[1]).toMatchObject({ assignees: [], state: 'open' });
  expect(lines.join('\n')).toMatch(/warning: The issue was opened without `issue-assignees`: .*Validation Failed/);
});

describe('two at once', () => {
  it('end with one issue, the first', async () => {
    const { tell, github, issues } = await setUp();
    const both = Promise.withResolvers<void>();
    let waiting = 0;
    github.before = async (route) => {
      if (route !== 'POST /repos/{owner}/{repo}/issues') return;
      waiting++;
      if (waiting === 2) both.resolve();
      await both.promise;
    };
    expect(await Promise.all([tell(bad), tell(bad)])).toEqual(['broke', 'broke']);
    expect(issues).toHaveLength(2);
    expect(openOf(github).map(({ number }) => number)).toEqual([1]);
    expect(issues[1]).toMatchObject({ stateReason: 'not_planned', body: expect.stringContaining('#1') });
    await tell(well);
    expect(await tell(bad)).toBe('broke');
    expect(openOf(github).map(({ number }) => number)).toEqual([1]);
  });

  it('end with one issue too when GitHub did what it said it had not done', async () => {
    const { tell, github } = await setUp();
    github.misdeeds.push({ route: 'POST /repos/{owner}/{repo}/issues', status: 502, afterwards: true, times: 1 });
    expect(await tell(bad)).toBe('broke');
    expect(openOf(github).map(({ number }) => number)).toEqual([1]);
  });

  it('that were left by jobs that ended too early are one after the next run', async () => {
    const { tell, github, issues } = await setUp();
    await tell(bad);
    issues.push({ ...(issues[0] as StoredIssue), number: 2, comments: [] });
    await tell(bad);
    expect(openOf(github).map(({ number }) => number)).toEqual([1]);
  });
});

async function refusalOf(tell: () => Promise<unknown>): Promise<Failure> {
  const error = await tell().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Failure);
  return error as Failure;
}

describe('says what to grant', () => {
  const none = { actions: 'none', contents: 'none', runners: false } as const;

  it.each<[string, Partial<State>]>([
    ['when issues are disabled', { issuesEnabled: false }],
    ['when the token may only read', { may: { issues: 'read', ...none } }],
    ['when the token may nothing', { may: { issues: 'none', ...none } }],
    ['when the repository is hidden from the token', { repo: 'other' }],
  ])('%s', async (_what, changes) => {
    const { tell, issues } = await setUp(changes);
    const { hint, message } = await refusalOf(() => tell(bad));
    expect(hint).toContain('permissions: issues: write');
    expect(hint).toContain('issue: never');
    expect(message).toMatch(/^GitHub did not (list|open) .*issue/);
    expect(issues).toEqual([]);
  });

  it('when the token is wrong', async () => {
    const { tell } = await setUp();
    const { hint } = await refusalOf(() => tell(bad, { given: { 'github-token': 'ghs_wrong' } }));
    expect(hint).toContain('Check `github-token`');
  });
});

describe('is patient', () => {
  const limit = 'You have exceeded a secondary rate limit.';

  it.each([
    ['an error of the server', { status: 502 }],
    ['a limit', { status: 429, headers: { 'retry-after': '1' } }],
    ['a secondary limit', { status: 403, headers: { 'retry-after': '1' }, message: limit }],
    ['a secondary limit without a time', { status: 403, message: limit }],
  ])('with %s', async (_what, misdeed) => {
    const { tell, github } = await setUp();
    github.misdeeds.push({ ...misdeed, times: 2 });
    expect(await tell(bad)).toBe('broke');
    expect(openOf(github)).toHaveLength(1);
  });

  it('but not for ever, and not when the allowance of the hour is gone', async () => {
    const { tell, github } = await setUp();
    github.misdeeds.push({
      status: 403,
      headers: { 'x-ratelimit-remaining': '0' },
      message: 'API rate limit',
      times: 99,
    });
    expect((await refusalOf(() => tell(bad))).hint).toContain('the next run tries again');
    expect(github.requests).toHaveLength(1);
    github.misdeeds[0] = { status: 429, headers: { 'retry-after': '3600' }, times: 99 };
    expect(await refusalOf(() => tell(bad))).toMatchObject({ code: 'github-unavailable' });
    expect(github.requests).toHaveLength(2);
  });

  it('no longer than it is given', async () => {
    const { tell, github } = await setUp();
    const stop = new AbortController();
    github.before = () => new Promise((resolve) => setImmediate(() => resolve(stop.abort())));
    expect(await refusalOf(() => tell(bad, { signal: stop.signal }))).toMatchObject({ code: 'github-unavailable' });
    github.before = async () => {};
    github.misdeeds.push({ status: 503, headers: { 'retry-after': '20' }, times: 99 });
    const soon = AbortSignal.timeout(50);
    expect((await refusalOf(() => tell(bad, { signal: soon }))).message).toContain('no time left');
  });

  it('with one issue after the other: one that GitHub does not take does not hide the next', async () => {
    const { tell, github } = await setUp();
    github.misdeeds.push({ route: 'POST /repos/{owner}/{repo}/issues', status: 422, times: 1 });
    expect(await refusalOf(() => tell(of(tooSmall, noCopy)))).toMatchObject({ code: 'github-invalid' });
    expect(openOf(github).map(({ title }) => title)).toEqual(['orders: The copy was not written']);
  });
});

describe('an API that is none', () => {
  const html = { status: 200, headers: { 'content-type': 'text/html' }, message: '<html>Log in</html>', times: 99 };

  it('is said when it answers a list', async () => {
    const { tell, github } = await setUp();
    github.misdeeds.push(html);
    const { code, message, hint } = await refusalOf(() => tell(bad));
    expect(code).toBe('github-invalid');
    expect(message).toMatch(/^GitHub answered what is not its API: asked to list issues, it sent /);
    expect(hint).toContain('Check GITHUB_API_URL');
  });

  it('is said when it answers a new issue, which is not sent a second time without its assignees', async () => {
    const { tell, github, issues } = await setUp();
    github.misdeeds.push({ ...html, route: 'POST /repos/{owner}/{repo}/issues', afterwards: true });
    const { code } = await refusalOf(() => tell(bad, { given: { 'issue-assignees': 'octocat' } }));
    expect(code).toBe('github-invalid');
    expect(issues).toHaveLength(1);
  });

  it('is not followed to a next page that has no address', async () => {
    const { tell, github } = await setUp();
    const link = '<nowhere>; rel="next"';
    github.misdeeds.push({ route: 'POST /repos/{owner}/{repo}/labels', status: 201, headers: { link }, times: 1 });
    expect(await tell(bad)).toBe('broke');
  });
});

describe('asks GitHub for nothing', () => {
  it.each<[string, TellingOptions]>([
    ['with `issue: never`', { given: { issue: 'never' } }],
    ['without a token', { given: { 'github-token': '' } }],
    ['without a repository', { env: { GITHUB_REPOSITORY: '' } }],
    ['for a pull request', { event: 'pull_request' }],
    ['for a pull request with secrets', { event: 'pull_request_target' }],
    ['for a merge queue', { event: 'merge_group' }],
  ])('%s', async (_what, options) => {
    const { tell, github } = await setUp();
    expect(await tell(bad, options)).toBeUndefined();
    expect(github.requests).toEqual([]);
  });
});

describe('a report that could not do its work', () => {
  it('speaks of that alone, and closes nothing', async () => {
    const { tell, github } = await setUp();
    await tell(bad);
    expect(await tell(of(broken, noCopy))).toBe('broke');
    expect(openOf(github).map(({ title }) => title)).toEqual([
      'orders: 4 MB is 90 % below the median of 40 MB',
      'orders: backup could not be done: pg_dump exited with 1',
    ]);
    expect(await tell(of(broken, rightSize))).toBe('still-broken');
    expect(openOf(github)).toHaveLength(2);
    expect(await tell(well)).toBe('recovered');
    expect(openOf(github)).toEqual([]);
  });

  it('and knew no source is over with the next one of the same job', async () => {
    const { tell, github } = await setUp();
    await tell(report('backup could not do its work', [broken]));
    expect(openOf(github).map(({ title }) => title)).toEqual([
      'Backups: backup could not be done: pg_dump exited with 1',
    ]);
    expect(await tell(well, { env: { GITHUB_JOB: 'other' } })).toBe('still-well');
    expect(openOf(github)).toHaveLength(1);
    expect(await tell(well)).toBe('recovered');
  });
});

it('is well, or recovered, by its own issues, whatever other jobs have open', async () => {
  const { tell, github } = await setUp();
  await tell(report('backup could not do its work', [broken]), { env: { GITHUB_JOB: 'other' } });
  expect(await tell(well)).toBe('still-well');
  expect(await tell(of({ ...rightSize, status: 'warn' }))).toBe('still-well');
  expect(await tell(bad)).toBe('broke');
  expect(await tell(bad)).toBe('still-broken');
  expect(await tell(well)).toBe('recovered');
  expect(openOf(github).map(({ number }) => number)).toEqual([1]);
});

it('breaks by its own failure, though another job has the same issue open', async () => {
  const { tell, github } = await setUp();
  const lost = report('backup could not do its work', [broken]);
  await tell(lost, { env: { GITHUB_JOB: 'other' } });
  expect(await tell(lost)).toBe('broke');
  expect(await tell(lost)).toBe('still-broken');
  expect(openOf(github)).toHaveLength(1);
});

describe('freshness of several sources', () => {
  const age = (source: string, status: 'pass' | 'fail') =>
    finding('backup-age', status, `${source}: the newest backup is 3d old.`, {
      source,
      subject: 'file:///srv/backups',
      numbers: { ageSeconds: 262_800 },
    });
  const room = (status: 'pass' | 'fail', subject = 'file:///srv/backups') =>
    finding('free-space', status, '1 GB of 10 GB are free (10 %).', { subject });
  const fresh = (sources: string[], ...findings: Finding[]) => report('Freshness', findings, { sources });
  const action = 'verify-freshness';

  it('has an issue for each source, and one for what is of none', async () => {
    const { tell, github } = await setUp();
    await tell(fresh(['orders', 'billing'], age('orders', 'fail'), age('billing', 'fail'), room('fail')), { action });
    expect(openOf(github).map(({ title }) => title)).toEqual([
      'orders: newest backup is 3d 1h old',
      'billing: newest backup is 3d 1h old',
      'Backups: 1 GB of 10 GB are free (10 %)',
    ]);
    expect(await tell(fresh(['orders'], age('orders', 'pass')), { action })).toBe('recovered');
    expect(openOf(github).map(({ number }) => number)).toEqual([2, 3]);
    await tell(fresh(['billing'], age('billing', 'pass'), room('pass', 'file:///elsewhere')), { action });
    expect(openOf(github).map(({ number }) => number)).toEqual([3]);
    expect(await tell(fresh(['billing'], age('billing', 'pass'), room('pass')), { action })).toBe('recovered');
  });

  it('is not over because a store could not be read', async () => {
    const { tell, github } = await setUp();
    await tell(fresh(['orders'], age('orders', 'fail')), { action });
    const away = finding('store-readable', 'unknown', 'orders could not be judged.', {
      source: 'orders',
      subject: 's3://b',
    });
    expect(await tell(fresh(['orders'], away, age('orders', 'pass')), { action })).toBe('broke');
    expect(openOf(github).map(({ number }) => number)).toEqual([1, 2]);
    const read = finding('backup-age', 'pass', 'orders: fine.', { source: 'orders', subject: 's3://b' });
    expect(await tell(fresh(['orders'], age('orders', 'pass'), read), { action })).toBe('recovered');
  });

  it('is of another action than the backup itself', async () => {
    const { tell, github } = await setUp();
    await tell(bad);
    expect(await tell(fresh(['orders'], { ...rightSize, source: 'orders' }), { action })).toBe('still-well');
    expect(openOf(github)).toHaveLength(1);
  });
});

it('is not over when a drill broke off before it compared anything', async () => {
  const { tell, github } = await setUp();
  const action = 'restore-drill';
  await tell(of(finding('facts-tables', 'fail', '10 rows are missing.')), { action });
  await tell(of(finding('decryption', 'fail', 'The key does not fit.')), { action });
  expect(openOf(github).map(({ number }) => number)).toEqual([1, 2]);
  await tell(of(finding('decryption', 'pass', 'Decrypted.'), finding('facts-tables', 'pass', 'All there.')), {
    action,
  });
  expect(openOf(github)).toEqual([]);
});
