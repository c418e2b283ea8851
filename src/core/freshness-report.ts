import { type CatalogBackup, isComplete, isInFuture } from './catalog.ts';
import { backupSamples, type Copy, countSamples, drillSamples, emptySamples } from './copy-metrics.ts';
import { formatDuration } from './duration.ts';
import type { FreshnessLimits } from './freshness.ts';
import { drillText, longestStory, overviewOf, overviewTable } from './freshness-overview.ts';
import { relevant, type SourceSurvey } from './freshness-survey.ts';
import type { Sample } from './metrics.ts';
import type { Finding, Report, Table, Trend, Verdict } from './report.ts';
import { isSafetySource } from './restore-names.ts';
import { formatBytes } from './size.ts';
import { sizeHistory } from './size-judgement.ts';
import { sizeTrend } from './size-trend.ts';

export interface JudgedSource {
  readonly source: string;
  /** One for each store. */
  readonly rows: readonly {
    readonly location: string;
    /** Undefined when the store could not be read. */
    readonly survey: SourceSurvey | undefined;
    readonly findings: readonly Finding[];
    readonly verdict: Verdict;
  }[];
  readonly findings: readonly Finding[];
}

/** One line of the table and of the output `sources`. */
interface Row {
  readonly source: string;
  readonly store: string;
  readonly verdict: Verdict;
  readonly newestBackupId: string | null;
  readonly takenAt: string | null;
  readonly ageSeconds: number | null;
  readonly bytes: number | null;
  readonly backups: number | null;
  /** Not all backups were listed: there may be more. */
  readonly mayBeMore: boolean;
  /** Stores that hold the newest backup of this row. */
  readonly copies: number;
  readonly lastDrill: { readonly backup: string; readonly at: string; readonly proof: string } | null;
}

/** Headline, table, curves and outputs of what was judged. */
export function describeSources(
  judged: readonly JudgedSource[],
  limits: FreshnessLimits,
  now: Date,
): Pick<Report, 'headline' | 'tables' | 'trends' | 'outputs' | 'metrics'> {
  const rows = judged.flatMap((one) => rowsOf(one, now));
  const newest = rows.toSorted((a, b) => (a.ageSeconds ?? Infinity) - (b.ageSeconds ?? Infinity))[0];
  const one = judged.length === 1 && newest?.newestBackupId ? newest : undefined;
  return {
    headline: one === undefined ? headlineOfMany(judged) : headlineOfOne(one, now),
    tables: tablesOf(judged, rows, limits, now),
    // Of several, the overview has a small one for each.
    trends: judged.length === 1 ? judged.flatMap((source) => trendOf(source, now)) : [],
    outputs: {
      sources: JSON.stringify(rows),
      ...(one && {
        'newest-backup-id': one.newestBackupId ?? '',
        'age-seconds': String(one.ageSeconds),
        bytes: String(one.bytes),
      }),
    },
    metrics: judged.flatMap(({ rows }) => rows.flatMap(({ survey }) => (survey ? samplesOfCopy(survey, now) : []))),
  };
}

function rowsOf({ source, rows }: JudgedSource, now: Date): Row[] {
  const surveys = rows.map(({ survey }) => survey).filter((survey) => survey !== undefined);
  return rows.map(({ location, survey, verdict }) => {
    const newest = survey?.newest;
    const proof = survey?.proof;
    const takenAt = newest?.manifest.takenAt ?? null;
    return {
      source,
      store: location,
      verdict,
      newestBackupId: newest?.backup.id ?? null,
      takenAt,
      ageSeconds: takenAt === null ? null : Math.round((now.getTime() - new Date(takenAt).getTime()) / 1000),
      bytes: newest?.backup.bytes ?? null,
      backups: survey === undefined ? null : relevant(survey.backups, survey.scope, now).length,
      mayBeMore: survey?.since !== undefined,
      copies: newest === undefined ? 0 : surveys.filter(({ backups }) => holds(backups, newest.backup.id)).length,
      lastDrill: proof
        ? { backup: proof.backup.id, at: proof.drill.startedAt.toISOString(), proof: proof.proof }
        : null,
    };
  });
}

function holds(backups: readonly CatalogBackup[], id: string): boolean {
  return backups.some((backup) => backup.id === id && isComplete(backup));
}

/** Several sources are looked over first; what each store holds is for a second look. */
function tablesOf(
  judged: readonly JudgedSource[],
  rows: readonly Row[],
  limits: FreshnessLimits,
  now: Date,
): readonly Table[] {
  if (rows.length === 0) return [];
  if (judged.length === 1) return [tableOf(rows, now)];
  return [overviewTable(overviewOf(judged, limits, now)), { ...tableOf(rows, now), folded: true }];
}

function tableOf(rows: readonly Row[], now: Date): Table {
  const numeric = true;
  const stores = new Set(rows.map(({ store }) => store)).size;
  return {
    title: 'Sources and stores',
    columns: [
      { name: 'Source' },
      { name: 'Store' },
      { name: 'Verdict', verdict: true },
      { name: 'Newest backup' },
      { name: 'Age', numeric },
      { name: 'Size', numeric },
      { name: 'Copies', numeric },
      { name: 'Backups', numeric },
      { name: 'Last drill' },
    ],
    rows: rows.map((row) => [
      row.source,
      row.store,
      row.verdict,
      row.newestBackupId ?? '–',
      row.ageSeconds === null ? '–' : formatDuration(row.ageSeconds * 1000),
      row.bytes === null ? '–' : formatBytes(row.bytes),
      `${row.copies} of ${stores}`,
      row.backups === null ? '–' : `${row.backups}${row.mayBeMore ? '+' : ''}`,
      lastDrillText(row, now),
    ]),
  };
}

function lastDrillText({ lastDrill }: Row, now: Date): string {
  return drillText(lastDrill ? { ...lastDrill, ageMs: now.getTime() - new Date(lastDrill.at).getTime() } : undefined);
}

function headlineOfOne(row: Row, now: Date): Report['headline'] {
  return [
    { name: 'Newest backup', value: row.newestBackupId ?? '–' },
    { name: 'Age', value: formatDuration((row.ageSeconds ?? 0) * 1000) },
    { name: 'Size', value: formatBytes(row.bytes ?? 0) },
    { name: 'Last drill', value: lastDrillText(row, now) },
  ];
}

function headlineOfMany(judged: readonly JudgedSource[]): Report['headline'] {
  const bad = judged.filter(({ rows }) => rows.some(({ verdict }) => verdict === 'fail' || verdict === 'unknown'));
  return [
    { name: 'Sources', value: String(judged.length) },
    { name: 'In order', value: String(judged.length - bad.length) },
    ...(bad.length > 0 ? [{ name: 'Not in order', value: bad.map(({ source }) => source).join(', ') }] : []),
  ];
}

/** Of the store that tells the longest story. */
function trendOf({ source, rows }: JudgedSource, now: Date): Trend[] {
  const longest = longestStory(
    rows.map(({ survey }) => survey),
    now,
  );
  return longest.length < 2 ? [] : [sizeTrend(`Size of ${source}`, longest)];
}

/** Of a store that could be read; what is known of another one stays as it was. */
function samplesOfCopy(survey: SourceSurvey, now: Date): Sample[] {
  const { source, location, backups, since, scope, newest, proof } = survey;
  // Alerts count the age of every source they see.
  if (isSafetySource(source)) return [];
  const copy: Copy = { source, store: location };
  const kept = relevant(backups, scope, now);
  if (since === undefined && kept.length === 0) return emptySamples(copy, now);
  return [
    ...(newest === undefined ? [] : backupSamples(copy, newest.manifest, historyOf(survey, now), now)),
    // A count of the last few only would be none.
    ...(since === undefined
      ? countSamples(
          copy,
          kept.map(({ takenAt }) => takenAt),
          now,
        )
      : []),
    ...(proof === undefined
      ? []
      : drillSamples(
          copy,
          { ...proof, startedAt: proof.drill.startedAt, restoreSeconds: proof.record.restoreSeconds },
          now,
        )),
  ];
}

function historyOf({ backups, newest }: SourceSurvey, now: Date): number[] {
  if (newest === undefined) return [];
  return sizeHistory(
    backups.filter((one) => !isInFuture(one, now)),
    newest.backup.takenAt,
  );
}
