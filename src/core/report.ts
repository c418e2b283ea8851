import { z } from 'zod';
import type { Sample } from './metrics.ts';
import type { DrillRecord } from './records.ts';
import { type RuleId, ruleIds } from './rules.ts';

export const Status = z.enum(['pass', 'warn', 'fail', 'unknown']);
export type Status = z.output<typeof Status>;

/** The worst finding of a report. `pass` and `warn` leave the step green. */
export type Verdict = Status;

/**
 * One judged fact. `numbers` carries what was measured and the limit it was measured against, with
 * the unit in the name (`ageSeconds`, `limitSeconds`, `bytes`). `message` is plain text: it may hold
 * data of databases and stores, and every renderer escapes it for its medium.
 */
export const Finding = z.strictObject({
  rule: z.enum(ruleIds),
  status: Status,
  message: z.string(),
  numbers: z.record(z.string(), z.number()).optional(),
  /** Where it was found: the location of a store, the name of a source, an artifact. */
  subject: z.string().optional(),
  /** The source it speaks of, where a report judges several. */
  source: z.string().optional(),
  /** What to do next, imperative. */
  hint: z.string().optional(),
});
export type Finding = z.output<typeof Finding>;

/** A finding as a stored record may carry it: a newer version of the program may know more rules. */
export const StoredFinding = z.object({ ...Finding.shape, rule: z.string() });
export type StoredFinding = z.output<typeof StoredFinding>;

export interface Column {
  readonly name: string;
  readonly numeric?: boolean;
  /** Its cells are verdicts: a renderer may put a sign before the word. */
  readonly verdict?: boolean;
  /** Sentences: a terminal breaks them into lines. Not for what is copied. */
  readonly wraps?: boolean;
}

/** A table of plain text cells; renderers escape and align (numbers to the right). */
export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  /** Folded away in the summary: long lists that only matter on a second look. */
  readonly folded?: boolean;
}

/** Curves over the last backups; drawn beside a table with the same numbers. Oldest first. */
export interface Trend {
  readonly title: string;
  readonly unit: string;
  readonly points: readonly { readonly label: string; readonly value: number }[];
}

/** The record of a drill, as it was written beside the backup. */
export interface RecordedDrill {
  readonly key: string;
  /** Of the bytes in the store. */
  readonly sha256: string;
  readonly record: DrillRecord;
}

/** What an action found. Summary, JSON, outputs, issue and exit code all come from it. */
export interface Report {
  readonly title: string;
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  /** `name: value` lines under the verdict: what an operator wants in the first ten seconds. */
  readonly headline: readonly { readonly name: string; readonly value: string }[];
  readonly tables: readonly Table[];
  readonly trends: readonly Trend[];
  /** Outputs of the step beside the common ones, kebab-case names, already as text. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Sources that were worked on; what holds for one of them says nothing of another. */
  readonly sources: readonly string[];
  /** Numbers for a monitoring system. */
  readonly metrics: readonly Sample[];
  /** Of a drill. */
  readonly drill?: RecordedDrill;
  /** What could not be told to somebody, a sentence each. It says nothing of the backups, so the verdict stays. */
  readonly notices: readonly string[];
}

export const severity: Readonly<Record<Status, number>> = { pass: 0, warn: 1, unknown: 2, fail: 3 };

/** The worst status; `unknown` when nothing was judged, since no finding proves nothing. */
export function worst(findings: readonly Pick<Finding, 'status'>[]): Verdict {
  if (findings.length === 0) return 'unknown';
  return findings.map((finding) => finding.status).reduce((a, b) => (severity[b] > severity[a] ? b : a));
}

/** Findings for the reader: worst first, otherwise in the order they were found. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => severity[b.status] - severity[a.status]);
}

/** Builds a report; the verdict is always computed, never given. */
export function report(
  title: string,
  findings: readonly Finding[],
  rest: Partial<Pick<Report, 'headline' | 'tables' | 'trends' | 'outputs' | 'sources' | 'metrics' | 'drill'>> = {},
): Report {
  const { headline = [], tables = [], trends = [], outputs = {}, sources = [], metrics = [], drill } = rest;
  const judged = { title, verdict: worst(findings), findings };
  return { ...judged, headline, tables, trends, outputs, sources, metrics, ...(drill && { drill }), notices: [] };
}

/** Shorthand that keeps call sites on one line. */
export function finding(
  rule: RuleId,
  status: Status,
  message: string,
  extra: Partial<Pick<Finding, 'numbers' | 'subject' | 'hint' | 'source'>> = {},
): Finding {
  return { rule, status, message, ...extra };
}
