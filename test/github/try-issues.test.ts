import { expect, it } from 'vitest';
import { tryIssues } from '../../src/github/try-issues.ts';
import { startGitHub } from './stand-in/server.ts';

const log = {
  info: () => {},
  warning: () => {},
  debug: () => {},
  group: <T>(_: string, use: () => Promise<T>) => use(),
};
const signal = new AbortController().signal;

it('reads issues, and writes nothing to find out', async () => {
  const github = await startGitHub();
  const env = { GITHUB_API_URL: github.apiUrl, GITHUB_REPOSITORY: 'acme/operations' };
  expect(await tryIssues({ token: github.state.token, env, log, signal })).toBe(true);
  expect(github.requests).toEqual(['GET /repos/{owner}/{repo}/issues']);
});

it('says what to grant to a token that may not', async () => {
  const github = await startGitHub();
  github.misdeeds.push({ status: 403, message: 'Resource not accessible by integration', times: 1 });
  const env = { GITHUB_API_URL: github.apiUrl, GITHUB_REPOSITORY: 'acme/operations' };
  await expect(tryIssues({ token: github.state.token, env, log, signal })).rejects.toMatchObject({
    code: 'github-denied',
    hint: expect.stringContaining('issues: write'),
  });
});

it('has nobody to ask outside of a repository', async () => {
  expect(await tryIssues({ token: 'x', env: {}, log, signal })).toBe(false);
});
