import type { Log } from '../core/ports.ts';
import { bodyOf, duplicateBody, returnComment, stillComment, titleOf } from './issue-body.ts';
import type { Trouble } from './issue-groups.ts';
import { type IssueMarker, isSameKey } from './issue-marker.ts';
import type { Issue, Issues } from './issues-api.ts';

/** What is at hand while one report is told. */
export interface Desk {
  readonly issues: Issues;
  /** Open ones of this action and its sources, each key once. */
  readonly open: readonly Issue[];
  /** Those closed within the last days. */
  readonly closed: () => Promise<readonly Issue[]>;
  readonly labels: readonly string[];
  readonly assignees: readonly string[];
  readonly log: Log;
  /** Link to the run. */
  readonly run: string | undefined;
  readonly now: Date;
}

const DAY_MS = 86_400_000;
/** What comes back within this time is the same story, and goes on in the same issue. */
const SAME_STORY_MS = 7 * DAY_MS;

/** Tells of one trouble: in the issue that is open, in the one that was closed a short time ago, or in a new one. */
export async function tellTrouble(trouble: Trouble, desk: Desk): Promise<'new' | 'known'> {
  const known = desk.open.find(({ marker }) => isSameKey(marker, trouble.key));
  if (known !== undefined) {
    await update(known, trouble, desk);
    return 'known';
  }
  const closed = await closedLately(trouble, desk);
  if (closed !== undefined) await reopen(closed, trouble, desk);
  else await open(trouble, desk);
  return 'new';
}

async function update(issue: Issue, trouble: Trouble, desk: Desk): Promise<void> {
  const { issues, run, now, log } = desk;
  const isTime = now.getTime() - new Date(issue.marker.toldAt).getTime() >= DAY_MS;
  const title = titleOf(trouble);
  const marker: IssueMarker = {
    ...issue.marker,
    runs: issue.marker.runs + 1,
    title,
    about: [...trouble.about],
    toldAt: isTime ? now.toISOString() : issue.marker.toldAt,
  };
  const telling = { trouble, marker, run, now };
  if (isTime) await issues.comment(issue.number, stillComment(telling));
  await issues.change(issue.number, { ...newTitle(issue, title), body: bodyOf(issue.body, telling) });
  log.info(`Updated issue #${issue.number}: ${issue.url}`);
}

async function reopen(issue: Issue, trouble: Trouble, desk: Desk): Promise<void> {
  const { issues, run, now, log } = desk;
  const title = titleOf(trouble);
  const isTime = now.getTime() - new Date(issue.marker.toldAt).getTime() >= DAY_MS;
  const marker: IssueMarker = {
    ...issue.marker,
    since: now.toISOString(),
    runs: 1,
    returns: issue.marker.returns + 1,
    toldAt: isTime ? now.toISOString() : issue.marker.toldAt,
    title,
    about: [...trouble.about],
  };
  const telling = { trouble, marker, run, now };
  const body = bodyOf(issue.body, telling);
  await issues.change(issue.number, { state: 'open', state_reason: 'reopened', ...newTitle(issue, title), body });
  // That it was opened again is news by itself; words are not repeated more than once a day.
  if (isTime) await issues.comment(issue.number, returnComment(telling));
  log.info(`Reopened issue #${issue.number}: ${issue.url}`);
}

async function open(trouble: Trouble, desk: Desk): Promise<void> {
  const { issues, labels, assignees, run, now, log } = desk;
  const at = now.toISOString();
  const title = titleOf(trouble);
  const about = [...trouble.about];
  const marker: IssueMarker = { ...trouble.key, since: at, runs: 1, returns: 0, toldAt: at, title, about };
  const body = bodyOf('', { trouble, marker, run, now });
  const made = await issues.create({ title, body, labels, assignees });
  log.info(`Opened issue #${made.number}: ${made.url}`);
  // Two jobs may have looked at the same moment and found nothing: then two were opened.
  const current = await issues.list('open', undefined, made.isLabelled ? 'label' : 'creator');
  const first = Math.min(...current.filter((each) => isSameKey(each.marker, trouble.key)).map(({ number }) => number));
  if (first < made.number) await closeDuplicate(issues, made.number, first);
}

/** Keeps the lowest number of each key and closes the others. */
export async function dropDuplicates(issues: Issues, found: readonly Issue[]): Promise<Issue[]> {
  const kept: Issue[] = [];
  for (const issue of found.toSorted((a, b) => a.number - b.number)) {
    const first = kept.find(({ marker }) => isSameKey(marker, issue.marker));
    if (first === undefined) kept.push(issue);
    else await closeDuplicate(issues, issue.number, first.number);
  }
  return kept;
}

/** Its marker goes with its body, so that it is never taken for the first one. */
async function closeDuplicate(issues: Issues, number: number, first: number): Promise<void> {
  // `duplicate` is a reason that older servers refuse.
  await issues.change(number, { state: 'closed', state_reason: 'not_planned', body: duplicateBody(first) });
}

async function closedLately(trouble: Trouble, { closed }: Desk): Promise<Issue | undefined> {
  const found = (await closed()).filter(({ marker }) => isSameKey(marker, trouble.key));
  return found.toSorted((a, b) => (b.closedAt?.getTime() ?? 0) - (a.closedAt?.getTime() ?? 0))[0];
}

/** What was closed so short a time ago that it may go on. */
export async function listClosed(issues: Issues, now: Date): Promise<Issue[]> {
  const since = new Date(now.getTime() - SAME_STORY_MS);
  const labelled = await issues.list('closed', since, 'label');
  const own = await issues.list('closed', since, 'creator');
  // GitHub counts from the last change: a comment is one.
  return [...labelled, ...own].filter(({ closedAt }) => closedAt !== undefined && closedAt >= since);
}

/** Somebody who renamed the issue knows more than we do. */
function newTitle(issue: Issue, title: string): { title?: string } {
  return issue.title === issue.marker.title && title !== issue.title ? { title } : {};
}
