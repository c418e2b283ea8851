import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunInfo } from './core/manifest.ts';
import type { Log, World } from './core/ports.ts';
import { openEngine } from './engines/registry.ts';
import type { Environment } from './github/inputs.ts';
import { openSchedules } from './github/schedules.ts';
import { tryIssues } from './github/try-issues.ts';
import { interruptible } from './interruptible.ts';
import { openStore } from './stores/registry.ts';
import { age } from './sys/age.ts';
import { examineMachine } from './sys/machine.ts';
import { writePage } from './sys/page-file.ts';
import { probe } from './sys/probe.ts';
import { runScript } from './sys/script.ts';
import { terminalQuestion } from './sys/terminal-question.ts';
import { traceTo } from './sys/trace.ts';
import { userFiles } from './sys/user-files.ts';
import { zstd } from './sys/zstd.ts';
import { tool } from './tool.ts';

export interface Surroundings {
  readonly env: Environment;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Milliseconds without a byte after which a transfer is given up. */
  readonly stallMs: number;
  /** Takes the secrets of this run out of a text. */
  readonly redact: (text: string) => string;
}

/** The real world, and the only place where ports meet what implements them. */
export function realWorld({ env, log, signal, stallMs, redact }: Surroundings): World {
  const now = () => new Date();
  traceTo((line) => log.debug(line));
  const forbidden = [env.GITHUB_WORKSPACE, env.RUNNER_TEMP].filter((folder) => folder !== undefined);
  return {
    now,
    randomHex: (bytes) => randomBytes(bytes).toString('hex'),
    openStore: async (url) => interruptible(await openStore(url, { env, forbidden, stallMs, now }), signal),
    openEngine: (name) => openEngine(name, { env, log, now }),
    encryption: age,
    compression: zstd(env),
    // Its promise resolves when the signal aborts: waiting is over then, and who waits looks at the signal.
    sleep: (ms, until = signal) => delay(ms, undefined, { signal: until, ref: false }).catch(() => {}),
    log,
    signal,
    run: runInfo(env),
    openSchedules: (token) => openSchedules({ token, env, log, signal, now }),
    process: { host: hostname(), pid: process.pid },
    tool,
    scratchDir: defaultScratchDir(),
    redact,
    application: {
      runScript: (script, onLine) =>
        runScript(script, onLine, { env, cwd: env.GITHUB_WORKSPACE || process.cwd(), signal }),
      probe: (url, withinMs) => probe(url, { env, signal, withinMs }),
    },
    examineMachine: (scratchDir) => examineMachine(env, scratchDir),
    tryIssues: (token) => tryIssues({ token, env, log, signal }),
    files: userFiles(env.GITHUB_WORKSPACE || process.cwd()),
    ask: env.GITHUB_ACTIONS === 'true' ? undefined : terminalQuestion(signal),
    // As a step sees paths: relative to the workspace; elsewhere to where the command was typed.
    writePage: (path, page, stores) => writePage(resolve(env.GITHUB_WORKSPACE ?? '', path), page, stores),
  };
}

/** Per user, since a folder of another one cannot be written; on disk, since /tmp is often memory. */
export function defaultScratchDir(): string {
  // Not `userInfo()`: in containers a user need not have a name.
  return `/var/tmp/lifeboat-${process.getuid?.() ?? 0}`;
}

/** Where and by whom this runs, as far as GitHub says so; nothing on a terminal. */
export function runInfo(env: Environment): RunInfo {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = env;
  const attempt = env.GITHUB_RUN_ATTEMPT ?? '1';
  const url = server && repository && id ? `${server}/${repository}/actions/runs/${id}/attempts/${attempt}` : undefined;
  const info = {
    url,
    repository,
    sha: env.GITHUB_SHA,
    actor: env.GITHUB_ACTOR,
    event: env.GITHUB_EVENT_NAME,
    runner: env.RUNNER_NAME,
    workflow: env.GITHUB_WORKFLOW_REF,
    job: env.GITHUB_JOB,
  };
  return Object.fromEntries(Object.entries(info).filter(([, value]) => value));
}
