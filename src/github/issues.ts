import type { z } from 'zod';
import { type Change, isWell } from '../core/change.ts';
import type { RunInfo } from '../core/manifest.ts';
import type { Log } from '../core/ports.ts';
import type { Report } from '../core/report.ts';
import type { publishing } from './inputs/every-action.ts';
import type { Environment } from './inputs.ts';
import { closedBodyOf, overComment } from './issue-body.ts';
import { isCovered, isOver, type Judged, type Trouble, troublesOf } from './issue-groups.ts';
import { isSameKey } from './issue-marker.ts';
import { type Desk, dropDuplicates, listClosed, tellTrouble } from './issue-telling.ts';
import { type Issue, type Issues, issuesOf, LABEL } from './issues-api.ts';
import { once } from './once.ts';
import { openGitHub } from './requests.ts';

type Given = z.output<
  z.ZodObject<Pick<typeof publishing, 'github-token' | 'issue' | 'issue-assignees' | 'issue-labels'>>
>;

/** What issues need to know beside the report. */
export interface IssueTelling {
  readonly action: string;
  readonly given: Given;
  readonly run: RunInfo;
  readonly env: Environment;
  readonly log: Log;
  readonly now: () => Date;
}

/** What others propose must not be able to open issues, and fails in its own place. */
const PROPOSALS = ['pull_request', 'pull_request_target', 'merge_group'];

const GRANT =
  'Grant the job `permissions: issues: write`, see that issues are enabled in the settings of the repository, or set `issue: never`.';

/**
 * Opens, updates and closes the issues of a report: one for each source and group of rules that is not
 * well, found again by its marker. Never twice at once: GitHub asks for one request after the other.
 *
 * @returns how the report relates to what was open before; undefined when issues were not asked for,
 *          or there is no repository to open them in
 * @throws {Failure} when GitHub refuses or cannot be reached, with what to grant
 */
export async function reportInIssues(
  report: Report,
  telling: IssueTelling,
  signal: AbortSignal,
): Promise<Change | undefined> {
  const { given, run, env, log } = telling;
  const token = given['github-token'];
  const [owner, repo] = env.GITHUB_REPOSITORY?.split('/') ?? [];
  if (given.issue === 'never' || !token || !owner || !repo || PROPOSALS.includes(run.event ?? '')) return undefined;
  const apiUrl = env.GITHUB_API_URL || 'https://api.github.com';
  const requests = await openGitHub({ token, apiUrl, log, signal, grant: GRANT });
  const issues = issuesOf(requests, { owner, repo }, log);
  const job = [env.GITHUB_WORKFLOW, env.GITHUB_JOB].filter(Boolean).join('/');
  return await reportTo(issues, { report, action: telling.action, job }, telling);
}

async function reportTo(issues: Issues, judged: Judged, telling: IssueTelling): Promise<Change> {
  const { given, log, run, now } = telling;
  const troubles = troublesOf(judged);
  const open = await openIssues(issues, judged, troubles);
  const labels = [...new Set([LABEL, ...given['issue-labels']])];
  const at = now();
  const closed = once(() => listClosed(issues, at));
  const assignees = given['issue-assignees'];
  const desk: Desk = { issues, open, closed, labels, assignees, log, run: run.url, now: at };
  const failures: unknown[] = [];
  const attempt = async <T>(use: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await use();
    } catch (error) {
      // What becomes of one issue says nothing of the next one.
      failures.push(error);
      return undefined;
    }
  };
  const told = [];
  for (const trouble of troubles) told.push(await attempt(() => tellTrouble(trouble, desk)));
  const over = open.filter(({ marker }) => isOver(marker, judged));
  for (const issue of over) await attempt(() => close(issue, desk));
  if (failures.length > 0) throw failures[0];
  if (told.includes('new')) return 'broke';
  if (!isWell(judged.report.verdict)) {
    // What another job has open is no news of this one.
    const isKnown = open.some((issue) => !over.includes(issue) && isCovered(issue.marker, judged));
    return isKnown ? 'still-broken' : 'broke';
  }
  return over.length > 0 ? 'recovered' : 'still-well';
}

/** Open issues that this report could say something of, each key once, the lowest number. */
async function openIssues(issues: Issues, judged: Judged, troubles: readonly Trouble[]): Promise<Issue[]> {
  const ours = (found: readonly Issue[]) => found.filter(({ marker }) => isMeant(marker, judged));
  const labelled = ours(await issues.list('open', undefined, 'label'));
  const isKnown = ({ key }: Trouble) => labelled.some(({ marker }) => isSameKey(marker, key));
  // Where GitHub drops labels, or a person took one off, the token's own user finds them.
  const isEnough = labelled.length > 0 && troubles.every(isKnown);
  const own = isEnough ? [] : ours(await issues.list('open', undefined, 'creator'));
  const found = [...labelled, ...own.filter(({ number }) => labelled.every((each) => each.number !== number))];
  return await dropDuplicates(issues, found);
}

function isMeant(marker: Issue['marker'], { report, action }: Judged): boolean {
  return marker.action === action && (marker.source === '*' || report.sources.includes(marker.source));
}

async function close({ number, body, marker, url }: Issue, { issues, log, run, now }: Desk): Promise<void> {
  // The comment first: closed without one nobody would learn why, and the next run would not say it.
  await issues.comment(number, overComment(marker, run, now));
  const closed = { state: 'closed', state_reason: 'completed', body: closedBodyOf(body, marker, run, now) };
  await issues.change(number, closed);
  log.info(`Closed issue #${number}, since it is over: ${url}`);
}
