import type { Log } from '../core/ports.ts';
import type { Environment } from './inputs.ts';
import { openGitHub } from './requests.ts';

const GRANT = 'Grant the job `permissions: issues: write`.';

/** Reads one issue of the repository this runs in; false where there is none. Nothing is written to find out. */
export async function tryIssues(given: {
  readonly token: string;
  readonly env: Environment;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<boolean> {
  const { token, env, log, signal } = given;
  const [owner, repo] = env.GITHUB_REPOSITORY?.split('/') ?? [];
  if (!owner || !repo) return false;
  const apiUrl = env.GITHUB_API_URL || 'https://api.github.com';
  const requests = await openGitHub({ token, apiUrl, log, signal, grant: GRANT });
  await requests.send('read issues', 'GET /repos/{owner}/{repo}/issues', { owner, repo, state: 'all', per_page: 1 });
  return true;
}
