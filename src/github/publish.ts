import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../core/failure.ts';
import type { RunInfo } from '../core/manifest.ts';
import { clip, visible } from '../core/plain-text.ts';
import type { Log } from '../core/ports.ts';
import { type Finding, type Report, type Status, worstFirst } from '../core/report.ts';
import { renderText } from '../core/report-text.ts';
import { outputsOf } from './outputs.ts';
import { renderSummary } from './summary.ts';
import { setOutput, type Toolkit } from './toolkit.ts';

/** Which run, of which commit, made a report, and when. */
export interface Origin {
  readonly action: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly tool: { readonly name: string; readonly version: string };
  readonly run: RunInfo;
}

export interface Step {
  readonly name: string;
  readonly origin: Origin;
  readonly toolkit: Toolkit;
  readonly log: Log;
}

/** GitHub shows ten annotations of a kind and drops the rest without a word. */
const MAX_ANNOTATIONS = 9;
/** An annotation takes 4,096 characters. */
const LONGEST_ANNOTATION = 4_000;

/**
 * Publishes a report: JSON file, outputs, summary, log, annotations. Each on its own, and none
 * changes the verdict: what cannot be published is said in the log.
 */
export async function publish(report: Report, { name, origin, toolkit, log }: Step): Promise<void> {
  const path = join(process.env.RUNNER_TEMP || tmpdir(), `lifeboat-${name}-${randomUUID()}.json`);
  await attempt('report', log, () => writeReport(report, origin, path));
  await attempt('outputs', log, () => setOutputs(report, path, toolkit, log));
  await attempt('job summary', log, () => writeSummary(report, toolkit));
  for (const line of renderText(report).trimEnd().split('\n')) log.info(line);
  const judged = worstFirst(report.findings);
  annotate(judged, ['fail', 'unknown'], toolkit.core.error, toolkit);
  annotate(judged, ['warn'], toolkit.core.warning, toolkit);
}

/** Makes the step red, and says which of the two reasons it has. */
export function failStep(report: Report, { core, past }: Toolkit): void {
  const failure = report.findings.find(({ rule }) => rule === 'run-failed');
  const text =
    failure === undefined
      ? `The action did its work, and what it found is not acceptable (${report.verdict}): ${report.title}`
      : `${report.title}: ${failure.message}${failure.hint === undefined ? '' : `\n${failure.hint}`}`;
  past(() => core.setFailed(clip(visible(text), LONGEST_ANNOTATION)));
}

/** Whether the program could not do its work, in contrast to work whose result is not acceptable. */
export function couldNotWork(report: Report): boolean {
  return report.findings.some(({ rule }) => rule === 'run-failed');
}

/** The report as JSON, for programs. */
export function reportJson(report: Report, origin: Origin): string {
  return `${JSON.stringify({ format: 1, ...origin, ...report }, undefined, 2)}\n`;
}

async function attempt(what: string, log: Log, write: () => void | Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const message = messageOf(error);
    log.warning(`The ${what} could not be published: ${message}`);
  }
}

function writeReport(report: Report, origin: Origin, path: string): void {
  writeFileSync(path, reportJson(report, origin), { mode: 0o600, flag: 'wx' });
}

function setOutputs(report: Report, path: string, toolkit: Toolkit, log: Log): void {
  const { outputs, warnings } = outputsOf(report, path);
  for (const [name, value] of Object.entries(outputs)) setOutput(toolkit, name, value);
  for (const warning of warnings) log.warning(warning);
}

async function writeSummary(report: Report, { core }: Toolkit): Promise<void> {
  if (process.env.GITHUB_STEP_SUMMARY) await core.summary.addRaw(renderSummary(report)).write();
}

function annotate(
  findings: readonly Finding[],
  statuses: readonly Status[],
  issue: Toolkit['core']['error'],
  { past }: Toolkit,
): void {
  const shown = findings.filter(({ status, rule }) => statuses.includes(status) && rule !== 'run-failed');
  for (const { rule, message, hint } of shown.slice(0, MAX_ANNOTATIONS)) {
    const text = visible(hint === undefined ? message : `${message}\n${hint}`);
    past(() => issue(clip(text, LONGEST_ANNOTATION), { title: rule }));
  }
}
