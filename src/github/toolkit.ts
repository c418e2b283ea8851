import { messageOf } from '../core/failure.ts';
import type { Log } from '../core/ports.ts';
import { guardStream, type Past } from './stream-guard.ts';

export type Core = typeof import('@actions/core');

/** GitHub's own toolkit, and the way past the guard of stdout for the commands that it writes there. */
export interface Toolkit {
  readonly core: Core;
  readonly past: Past;
}

/**
 * Guards both streams and loads the toolkit. At run time and here alone: with it comes an HTTP client
 * that costs a step some 25 ms, and the command line, where a command for a runner would be nothing
 * but a secret in clear, must not have it at all.
 */
export async function openToolkit(): Promise<Toolkit> {
  const past = guardStream(process.stdout);
  guardStream(process.stderr);
  return { core: await import('@actions/core'), past };
}

/** Sends one request: `GET /repos/{owner}/{repo}/issues` with its parameters, or a whole URL. */
export type SendRequest = (
  route: string,
  parameters: Readonly<Record<string, unknown>>,
) => Promise<{ readonly status: number; readonly data: unknown; readonly headers: Readonly<Record<string, unknown>> }>;

/**
 * GitHub's own client. It takes proxies from the process's environment, when it is loaded.
 *
 * @param apiUrl where the API is: a GitHub Enterprise Server has its own
 */
export async function openRequests(token: string, apiUrl: string, log: Log): Promise<SendRequest> {
  const { getOctokit } = await import('@actions/github');
  const say = (line: string) => log.debug(line);
  return getOctokit(token, { baseUrl: apiUrl, log: { debug: () => {}, info: say, warn: say, error: say } }).request;
}

/** What it takes to understand a workflow file. */
export interface WorkflowReader {
  parseYaml(text: string): unknown;
  /** When a line of cron is due next. @throws when it is none */
  openCron(line: string, timeZone: string): (after: Date) => Date | null;
}

export async function openWorkflowReader(): Promise<WorkflowReader> {
  const [{ parse }, { Cron }] = await Promise.all([import('yaml'), import('croner')]);
  return {
    parseYaml: (text) => parse(text),
    openCron: (line, timezone) => {
      const cron = new Cron(line, { timezone, mode: '5-part', paused: true });
      return (after) => cron.nextRun(after);
    },
  };
}

/** Has the runner hide these in every log. Where no runner reads, it would print them. */
export function registerMasks({ core, past }: Toolkit, secrets: readonly string[]): void {
  if (process.env.GITHUB_ACTIONS !== 'true') return;
  past(() => {
    for (const secret of secrets) core.setSecret(secret);
  });
}

/** Without its file, core falls back to printing a command with the value in it: then nothing is set. */
export function setOutput({ core }: Toolkit, name: string, value: string): void {
  if (process.env.GITHUB_OUTPUT) core.setOutput(name, value);
}

/** Keeps a value for `post`. A step does its work also when that fails. */
export function saveState({ core }: Toolkit, log: Log, name: string, value: string): void {
  try {
    if (process.env.GITHUB_STATE) core.saveState(name, value);
  } catch (error) {
    const message = messageOf(error);
    log.warning(`\`${name}\` could not be saved for the cleaning up after this step: ${message}`);
  }
}
