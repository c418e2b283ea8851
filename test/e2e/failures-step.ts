import { chmodSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { Job, type StepOptions, type StepResult } from './runner.ts';

export interface Expected {
  /** `run-failed` unless the action did its work and found this. */
  readonly rule?: string;
  readonly status?: 'unknown' | 'fail';
  /** Names the thing. */
  readonly message: RegExp;
  /** Says what to do. */
  readonly hint: RegExp;
  /** Texts that nobody may see. */
  readonly secrets?: readonly string[];
}

export interface Failed {
  readonly result: StepResult;
  readonly findings: readonly Finding[];
  /** What an operator reads of the finding: message and hint. */
  readonly text: string;
}

const Finding = z.object({
  rule: z.string(),
  status: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  subject: z.string().optional(),
});
type Finding = z.output<typeof Finding>;

const Report = z.object({ format: z.literal(1), verdict: z.string(), findings: z.array(Finding) });

/** A line of a stack, as node prints it: at a place in a file. */
const STACK = /^\s+at .+:\d+:\d+\)?$/m;

/**
 * Runs a step that must be red, and reads what it says as an operator does: the verdict, the finding
 * that is expected with what to do, no stack, no secret, in summary, log and report alike, and no
 * process and no file left behind.
 *
 * @param given a function when inputs depend on the folders of the job
 */
export async function failingStep(
  given: StepOptions | ((job: Job) => StepOptions),
  expected: Expected,
): Promise<Failed> {
  const job = new Job();
  try {
    const step = typeof given === 'function' ? given(job) : given;
    maskAsGitHubDoes(job, step, expected.secrets ?? []);
    const result = await job.runStep({ ...step, env: { LIFEBOAT_TEST_RETRY_WAIT: '0.01', ...step.env } });
    const failed = { result, ...readFindings(result, expected) };
    if (process.env.LIFEBOAT_TEST_PRINT === '1') console.log(`${step.action}: ${failed.text}\n`);
    expectRed(failed, expected);
    expectNothingSeen(job, failed, expected.secrets ?? []);
    await expectNothingLeft(job, result);
    return failed;
  } finally {
    job.end();
  }
}

/** GitHub knows the whole secret, a URL with a password in it; the password alone is for the action to hide. */
function maskAsGitHubDoes(job: Job, step: StepOptions, secrets: readonly string[]): void {
  const values = [...Object.values(step.with ?? {}), ...Object.values(step.env ?? {})].map(String);
  for (const value of values) if (secrets.some((secret) => value.includes(secret))) job.masks.add(value);
}

function readFindings(result: StepResult, { rule = 'run-failed', status = 'unknown' }: Expected) {
  const findings = z.array(Finding).parse(JSON.parse(result.outputs.findings ?? '[]'));
  const found = findings.filter((one) => one.rule === rule && one.status === status);
  return { findings, text: found.map(({ message, hint }) => `${message}\n  -> ${hint ?? '(no hint)'}`).join('\n') };
}

function expectRed(
  { result, findings, text }: Failed,
  { rule = 'run-failed', status = 'unknown', message, hint }: Expected,
): void {
  expect(result.exitCode, result.log).toBe(1);
  // `fail` when the work was done and what it found is bad; `unknown` when it could not be done.
  expect(result.outputs.verdict, result.log).toBe(status);
  const found = findings.filter((one) => one.rule === rule && one.status === status);
  expect(found.map((one) => one.message).join('\n'), result.log).toMatch(message);
  expect(found.map((one) => one.hint ?? '').join('\n'), text).toMatch(hint);
  expect(result.summary).toMatch(new RegExp(`^## . ${status}: `, 'u'));
  expect(result.annotations.filter(({ type }) => type === 'error')).not.toEqual([]);
  expect(result.log).not.toMatch(/This is a bug in Lifeboat/);
}

function expectNothingSeen(job: Job, { result }: Failed, secrets: readonly string[]): void {
  const report = readFileSync(result.outputs['report-path'] ?? '', 'utf8');
  expect(Report.parse(JSON.parse(report)).verdict).toBe(result.outputs.verdict);
  expect(result.outputs['report-path']).toContain(job.temp);
  const said = [result.log, result.summary, report, JSON.stringify(result.outputs), JSON.stringify(result.state)];
  for (const text of said) {
    expect(text).not.toMatch(STACK);
    for (const secret of secrets) expect(text).not.toContain(secret);
  }
}

/** In RUNNER_TEMP there is the report, and nothing else; no process of the step is left. */
async function expectNothingLeft(job: Job, result: StepResult): Promise<void> {
  // The kernel ends what a step leaves that gave up waiting, and needs a moment for it.
  await vi.waitFor(() => expect(result.orphans.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]), 20_000);
  const files = filesIn(job.temp).filter((file) => !file.startsWith('_runner_file_commands'));
  expect(files).toEqual([relative(job.temp, result.outputs['report-path'] ?? '')]);
  expect(filesIn(job.workspace)).toEqual([]);
}

/** Every file below a folder, hidden ones too, relative to it; none when there is no such folder. */
export function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return globSync('**/{*,.*}', { cwd: folder, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}

/** A folder on disk for this test alone. */
export function newFolder(): string {
  const folder = mkdtempSync('/var/tmp/lifeboat-failures-');
  chmodSync(folder, 0o755); // a scratch server of root runs as somebody else
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
