import { type Sample, samplesOf, unixSeconds, wordSamples } from './metrics.ts';
import { type Report, Status, type Verdict, worst } from './report.ts';

/** What a run tells of itself, for each of its sources, also when it could not do its work. */
export function runSamples(report: Report, action: string, endedAt: Date): Sample[] {
  // A refused input of several sources, or stores that hold nothing: then nobody knows which source it was.
  const { sources } = report;
  if (sources.length === 0) return samplesOfRun({ action }, report.verdict, endedAt);
  return [
    ...sources.flatMap((source) => samplesOfRun({ action, source }, verdictOf(report, source), endedAt)),
    ...withoutSource(action),
  ];
}

/** Of one source of several: its own findings, and those that hold for all. */
function verdictOf({ findings, sources, verdict }: Report, source: string): Verdict {
  if (sources.length === 1) return verdict;
  return worst(findings.filter((one) => one.source === undefined || one.source === source));
}

function samplesOfRun(labels: Sample['labels'], verdict: Verdict, endedAt: Date): Sample[] {
  const at = unixSeconds(endedAt);
  const isGood = verdict === 'pass' || verdict === 'warn';
  return [
    ...samplesOf(labels, {
      lifeboat_last_run_timestamp_seconds: at,
      lifeboat_last_success_timestamp_seconds: isGood ? at : undefined,
    }),
    ...wordSamples('lifeboat_verdict', labels, ['verdict', Status.options, verdict]),
  ];
}

/** The run after one that did not even know its sources takes the place of what that one told. */
function withoutSource(action: string): Sample[] {
  return samplesOfRun({ action }, 'pass', new Date(0)).map((sample) => ({ ...sample, value: null }));
}
