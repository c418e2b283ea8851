import { z } from 'zod';
import type { Report } from '../../src/core/report.ts';
import { publishing } from '../../src/github/inputs/every-action.ts';
import { parseInputs, type RawInputs } from '../../src/github/inputs.ts';
import { type IssueTelling, reportInIssues } from '../../src/github/issues.ts';
import type { GitHub } from './stand-in/server.ts';

export const RUN = 'https://github.example/acme/operations/actions/runs/4711/attempts/1';

export interface Clock {
  at: Date;
}

export interface TellingOptions {
  readonly action?: string;
  readonly given?: RawInputs;
  readonly event?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Tells reports to a stand-in, and keeps what was logged. */
export function teller(github: GitHub, clock: Clock) {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const warn = (line: string) => void lines.push(`warning: ${line}`);
  const log = { info: say, warning: warn, debug: () => {}, group: <T>(_title: string, use: () => Promise<T>) => use() };
  const tell = (report: Report, options: TellingOptions = {}) => {
    const { action = 'backup', given = {}, event = 'schedule', signal = new AbortController().signal } = options;
    const raw = { 'github-token': github.state.token, ...given };
    const telling: IssueTelling = {
      action,
      given: parseInputs(z.object(publishing), raw),
      run: { url: RUN, event },
      env: {
        GITHUB_API_URL: github.apiUrl,
        GITHUB_REPOSITORY: 'acme/operations',
        GITHUB_WORKFLOW: 'Nightly',
        GITHUB_JOB: 'backup',
        ...options.env,
      },
      log,
      now: () => clock.at,
    };
    return reportInIssues(report, telling, signal);
  };
  return { tell, lines };
}
