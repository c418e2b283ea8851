import { type Finding, type Report, worstFirst } from '../core/report.ts';
import { type Group, groupNames, groupOf } from '../core/rule-groups.ts';
import type { IssueKey, IssueMarker } from './issue-marker.ts';

/** What holds for no source of its own: a store, a workflow, a step whose inputs were refused. */
export const ALL = '*';

/** Something that is wrong, and belongs into one issue. */
export interface Trouble {
  readonly key: IssueKey;
  /** `fail` and `unknown`, worst first. */
  readonly findings: readonly Finding[];
  /** What it speaks of, see `IssueMarker`. */
  readonly about: readonly string[];
}

/** A report as issues see it. */
export interface Judged {
  readonly report: Report;
  readonly action: string;
  /** Workflow and job, e.g. `Freshness/watch`. */
  readonly job: string;
}

/** What of a report belongs into issues, one for each source and group. */
export function troublesOf({ report, action, job }: Judged): Trouble[] {
  const wrong = worstFirst(report.findings).filter(isWrong);
  // What a run that broke off had found until then is not the whole; its own reason is.
  const told = couldNotWork(report) ? wrong.filter(({ rule }) => groupOf[rule] === 'run') : wrong;
  const places = told.map((finding) => ({ finding, key: keyOf(finding, report, action) }));
  return groupNames.flatMap((group) => {
    const inGroup = places.filter(({ key }) => key.group === group);
    return [...new Set(inGroup.map(({ key }) => key.source))].map((source) => {
      const findings = inGroup.filter(({ key }) => key.source === source).map(({ finding }) => finding);
      return { key: { source, action, group }, findings, about: aboutOf(findings, job) };
    });
  });
}

/**
 * Whether this report says that what an issue is about is over: the group was judged, and nothing in
 * it is wrong. What was not looked at, since a store could not be read or a restore broke off before
 * the comparison, is not over.
 */
export function isOver(marker: IssueMarker, judged: Judged): boolean {
  const { report, action } = judged;
  if (marker.action !== action || couldNotWork(report) || !isCovered(marker, judged)) return false;
  if (marker.group === 'run') return true;
  const own = report.findings.filter((finding) => keyOf(finding, report, action).source === marker.source);
  const inGroup = own.filter(({ rule }) => groupOf[rule] === marker.group);
  if (inGroup.some(isWrong) || (marker.group !== 'stores' && isBlind(marker.source, report))) return false;
  return inGroup.length > 0 || !own.some(isWrong);
}

function isWrong({ status }: Finding): boolean {
  return status === 'fail' || status === 'unknown';
}

function couldNotWork(report: Report): boolean {
  return report.findings.some(({ rule }) => rule === 'run-failed');
}

/** One store that is away is one issue, however many sources lie in it. */
const SHARED: readonly Group[] = ['stores', 'room', 'schedules'];

function keyOf({ rule, source }: Finding, { sources }: Report, action: string): IssueKey {
  const group = groupOf[rule];
  const [only, ...others] = sources;
  const isOfOne = only !== undefined && others.length === 0;
  // A check of freshness names the source in each finding that has one.
  const unnamed = isOfOne && (action !== 'verify-freshness' || group === 'run') ? only : ALL;
  const isShared = action === 'verify-freshness' && SHARED.includes(group);
  return { source: isShared ? ALL : (source ?? unnamed), action, group };
}

function aboutOf(findings: readonly Finding[], job: string): string[] {
  const subjects = findings.map(({ subject }) => subject).filter((subject) => subject !== undefined);
  return subjects.length === 0 ? [job] : [...new Set(subjects)].slice(0, 100);
}

/** What was found of one store or by one job does not end what another one has. */
export function isCovered({ source, group, about }: IssueMarker, { report, job }: Judged): boolean {
  if (source !== ALL) return report.sources.includes(source);
  // That a store can be read, every finding in it says; no rule says only that.
  const judged = report.findings.filter(({ rule }) => group === 'stores' || groupOf[rule] === group);
  const seen = new Set([job, ...judged.map(({ subject }) => subject)]);
  return about.every((each) => seen.has(each));
}

function isBlind(source: string, { findings }: Report): boolean {
  return findings.some(
    (finding) =>
      finding.rule === 'store-readable' &&
      isWrong(finding) &&
      (source === ALL || finding.source === undefined || finding.source === source),
  );
}
