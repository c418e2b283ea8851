import { formatDuration } from './duration.ts';
import type { FreshnessLimits } from './freshness.ts';
import type { JudgedSource } from './freshness-report.ts';
import { relevant, type SourceSurvey } from './freshness-survey.ts';
import { clip } from './plain-text.ts';
import { type Finding, severity, type Table, type Verdict, worst, worstFirst } from './report.ts';
import { formatBytes } from './size.ts';
import { sparkline } from './sparkline.ts';

/** One source at a glance: the worst of its stores. */
export interface SourceOverview {
  readonly source: string;
  readonly verdict: Verdict;
  /** Of the newest backup, in the store where that is oldest; undefined: a store has none, or could not be read. */
  readonly ageMs: number | undefined;
  readonly maxAgeMs: number;
  /** Of the last backups, oldest first, in the store that tells the longest story. */
  readonly bytes: readonly number[];
  /** In the store where it is oldest; undefined: a store has none. */
  readonly lastDrill: { readonly proof: string; readonly ageMs: number } | undefined;
  /** What to do about its worst finding, in one sentence; undefined when all is well. */
  readonly nextAction: string | undefined;
}

/** A sentence that fits a cell of a table. */
const LONGEST_ACTION = 140;

/** One row for each source, the worst first. */
export function overviewOf(judged: readonly JudgedSource[], limits: FreshnessLimits, now: Date): SourceOverview[] {
  const rows = judged.map((one) => sourceOverview(one, limits, now));
  return rows.toSorted((a, b) => severity[b.verdict] - severity[a.verdict]);
}

function sourceOverview({ source, rows, findings }: JudgedSource, limits: FreshnessLimits, now: Date): SourceOverview {
  const surveys = rows.map(({ survey }) => survey);
  const ages = surveys.map((survey) => survey?.newest && now.getTime() - survey.newest.backup.takenAt.getTime());
  const drills = surveys.map((survey) => lastDrillIn(survey, now));
  return {
    source,
    verdict: worst(findings),
    ageMs: oldest(ages, (age) => age),
    maxAgeMs: limits.maxAgeMs,
    bytes: longestStory(surveys, now).map(({ bytes }) => bytes),
    lastDrill: oldest(drills, ({ ageMs }) => ageMs),
    nextAction: nextActionOf(findings),
  };
}

function lastDrillIn(survey: SourceSurvey | undefined, now: Date): SourceOverview['lastDrill'] {
  if (survey?.proof === undefined) return undefined;
  return { proof: survey.proof.proof, ageMs: now.getTime() - survey.proof.drill.startedAt.getTime() };
}

/** Undefined as soon as one is missing: the worst store speaks for the source. */
function oldest<T>(values: readonly (T | undefined)[], ageOf: (value: T) => number): T | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length < values.length) return undefined;
  return known.toSorted((a, b) => ageOf(b) - ageOf(a))[0];
}

/** Backups of the usual scope, oldest first, of the store that holds most of them. */
export function longestStory(surveys: readonly (SourceSurvey | undefined)[], now: Date) {
  const stories = surveys.map((survey) => (survey ? relevant(survey.backups, survey.scope, now) : []));
  return stories.toSorted((a, b) => b.length - a.length)[0] ?? [];
}

function nextActionOf(findings: readonly Finding[]): string | undefined {
  const [first] = worstFirst(findings);
  if (first === undefined || first.status === 'pass') return undefined;
  const text = first.hint ?? first.message;
  const [sentence = text] = /^.*?[.;](?= )/s.exec(text) ?? [];
  return sentence.length > LONGEST_ACTION ? clip(sentence, LONGEST_ACTION) : sentence.replace(/;$/, '.');
}

/** The overview as a table of a report. */
export function overviewTable(rows: readonly SourceOverview[]): Table {
  return {
    title: 'Overview',
    columns: [
      { name: 'Source' },
      { name: 'Verdict', verdict: true },
      { name: 'Age', numeric: true },
      { name: 'Limit', numeric: true },
      { name: 'Size', numeric: true },
      { name: 'Size trend' },
      { name: 'Last drill' },
      { name: 'Next' },
    ],
    rows: rows.map((row) => [
      row.source,
      row.verdict,
      row.ageMs === undefined ? '–' : formatDuration(row.ageMs),
      formatDuration(row.maxAgeMs),
      sizeText(row),
      sparkline(row.bytes),
      drillText(row.lastDrill),
      row.nextAction ?? '–',
    ]),
  };
}

function sizeText({ bytes }: SourceOverview): string {
  const newest = bytes.at(-1);
  return newest === undefined ? '–' : formatBytes(newest);
}

export function drillText(drill: SourceOverview['lastDrill']): string {
  return drill === undefined ? 'none' : `${drill.proof}, ${formatDuration(drill.ageMs)} ago`;
}
