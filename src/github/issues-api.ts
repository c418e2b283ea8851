import { z } from 'zod';
import { Failure } from '../core/failure.ts';
import type { Log } from '../core/ports.ts';
import { listed } from './issue-body.ts';
import { type IssueMarker, readMarker } from './issue-marker.ts';
import { once } from './once.ts';
import { type Reply, type Requests, readReply } from './requests.ts';

/** Finds our issues, since the search of GitHub lags behind. */
export const LABEL = 'lifeboat';
const COLOR = '0e8a16';

const ISSUE = '/repos/{owner}/{repo}/issues';

const IssueReply = z.object({
  number: z.int(),
  title: z.string(),
  body: z.string().nullish(),
  html_url: z.string(),
  closed_at: z.string().nullish(),
  /** Pull requests are issues to this API. */
  pull_request: z.unknown().optional(),
  labels: z.array(z.union([z.string(), z.object({ name: z.string().nullish() })])).default([]),
  assignees: z.array(z.object({ login: z.string() })).nullish(),
});
type IssueReply = z.output<typeof IssueReply>;

/** An issue of ours, as it is on GitHub now. */
export interface Issue {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly url: string;
  readonly closedAt: Date | undefined;
  readonly marker: IssueMarker;
}

export interface NewIssue {
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly assignees: readonly string[];
}

export interface Repository {
  readonly owner: string;
  readonly repo: string;
}

/** Issues of one repository, as far as this program uses them. */
export interface Issues {
  /** With a marker, by label; those of the token's own user where labels were dropped. */
  list(state: 'open' | 'closed', since: Date | undefined, by: 'label' | 'creator'): Promise<Issue[]>;
  create(issue: NewIssue): Promise<{ readonly number: number; readonly url: string; readonly isLabelled: boolean }>;
  change(number: number, changes: Readonly<Record<string, unknown>>): Promise<void>;
  comment(number: number, body: string): Promise<void>;
}

export function issuesOf(requests: Requests, repository: Repository, log: Log): Issues {
  const ensureLabels = once((labels: readonly string[]) => createLabels(requests, repository, labels, log));
  const ownLogin = once(() => loginOf(requests));
  return {
    list: async (state, since, by) => {
      const creator = by === 'creator' ? await ownLogin() : undefined;
      const filter = creator === undefined ? { labels: LABEL } : { creator };
      const parameters = { ...repository, state, ...filter, ...(since && { since: since.toISOString() }) };
      return (await requests.list('list issues', `GET ${ISSUE}`, parameters, IssueReply)).flatMap(ourIssue);
    },
    create: async (issue) => {
      await ensureLabels(issue.labels);
      const made = await createIssue(requests, repository, issue, log);
      sayDropped(issue, made, log);
      return { number: made.number, url: made.html_url, isLabelled: labelsOf(made).includes(LABEL) };
    },
    change: async (number, changes) => {
      await requests.send('change an issue', `PATCH ${ISSUE}/{issue_number}`, {
        ...repository,
        issue_number: number,
        ...changes,
      });
    },
    comment: async (number, body) => {
      const route = `POST ${ISSUE}/{issue_number}/comments`;
      await requests.send('comment on an issue', route, { ...repository, issue_number: number, body });
    },
  };
}

function ourIssue(reply: IssueReply): Issue[] {
  const body = reply.body ?? '';
  const marker = readMarker(body);
  if (reply.pull_request !== undefined || marker === undefined) return [];
  const closedAt = reply.closed_at ? new Date(reply.closed_at) : undefined;
  return [{ number: reply.number, title: reply.title, body, url: reply.html_url, closedAt, marker }];
}

async function createIssue(requests: Requests, repository: Repository, issue: NewIssue, log: Log): Promise<IssueReply> {
  const { data } = await sendIssue(requests, repository, issue, log);
  return readReply('open an issue', IssueReply, data);
}

/** Somebody who cannot be assigned must not keep the issue from being opened. */
async function sendIssue(requests: Requests, repository: Repository, issue: NewIssue, log: Log): Promise<Reply> {
  const send = (assignees: readonly string[]) =>
    requests.send('open an issue', `POST ${ISSUE}`, { ...repository, ...issue, assignees });
  if (issue.assignees.length === 0) return await send([]);
  try {
    return await send(issue.assignees);
  } catch (error) {
    // 422 for one who has no access. Which one it was, GitHub does not say.
    if (!(error instanceof Failure) || error.code !== 'github-invalid') throw error;
    log.warning(`The issue was opened without \`issue-assignees\`: ${error.message}`);
    return await send([]);
  }
}

/** Without push access labels and assignees are dropped, and nothing says so. */
function sayDropped({ labels, assignees }: NewIssue, made: IssueReply, log: Log): void {
  const kept = labelsOf(made).map((name) => name.toLowerCase());
  const dropped = labels.filter((label) => !kept.includes(label.toLowerCase()));
  if (dropped.length > 0) {
    log.warning(`GitHub dropped labels of issue #${made.number}, since this token may not push: ${listed(dropped)}.`);
  }
  const assigned = (made.assignees ?? []).map(({ login }) => login.toLowerCase());
  const missing = assignees.filter((name) => !assigned.includes(name.toLowerCase()));
  if (missing.length > 0) log.warning(`Issue #${made.number} could not be assigned to ${listed(missing)}.`);
}

function labelsOf({ labels }: IssueReply): string[] {
  return labels.map((label) => (typeof label === 'string' ? label : (label.name ?? '')));
}

async function createLabels(
  requests: Requests,
  repository: Repository,
  labels: readonly string[],
  log: Log,
): Promise<void> {
  for (const name of labels) {
    try {
      if (await isThere(requests, repository, name)) continue;
      await requests.send('create a label', 'POST /repos/{owner}/{repo}/labels', { ...repository, name, color: COLOR });
    } catch (error) {
      // Without push access, or made by another job at the same moment: the issue itself tells what became of it.
      if (!(error instanceof Failure) || error.code === 'github-unavailable') throw error;
      log.debug(`The label ${listed([name])} was not created: ${error.message}`);
    }
  }
}

async function isThere(requests: Requests, repository: Repository, name: string): Promise<boolean> {
  try {
    await requests.send('look up a label', 'GET /repos/{owner}/{repo}/labels/{name}', { ...repository, name });
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === 'not-found') return false;
    throw error;
  }
}

/** The token of a workflow is no user, and may not ask who it is; its issues are this one's. */
const WORKFLOW_USER = 'github-actions[bot]';

async function loginOf(requests: Requests): Promise<string> {
  try {
    const { data } = await requests.send('name its user', 'GET /user');
    return readReply('name its user', z.object({ login: z.string() }), data).login;
  } catch (error) {
    if (error instanceof Failure && error.code === 'github-denied') return WORKFLOW_USER;
    throw error;
  }
}
