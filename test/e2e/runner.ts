import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Annotation, Masks, parseFileCommand, StepLog } from './runner-log.ts';
import { type Interruption, killOrphans, orphansAfter, runProcess } from './runner-process.ts';

/** The repository: actions are folders of it. */
export const root = resolve(import.meta.dirname, '../..');
const ownNode = join(root, 'node_modules/.bin/node');
export const node = existsSync(ownNode) ? ownNode : process.execPath;

const SUMMARY_LIMIT = 1_048_576;
const POST_TIMEOUT_MS = 300_000;

const ActionFile = z.object({
  inputs: z.record(z.string(), z.object({ default: z.coerce.string().optional() }).nullable()).default({}),
  runs: z.object({ using: z.literal('node24'), main: z.string(), post: z.string().optional() }),
});

export interface StepOptions {
  /** Folder of an action, from the repository's root; `.` is the root's own. */
  readonly action: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each line as a reader would see it; what it returns happens to the step. */
  readonly interrupt?: (line: string) => Interruption | undefined;
  /** Happens to the step when it resolves. */
  readonly interruption?: Promise<Interruption>;
  /** Shows `::debug::` lines and sets RUNNER_DEBUG. */
  readonly debug?: boolean;
  readonly timeoutMs?: number;
}

export interface StepResult {
  readonly exitCode: number;
  readonly interrupted: Interruption | 'timeout' | undefined;
  /** As a reader sees it: masks applied, commands taken out. With the header that shows `with:` and `env:`. */
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** Masked; empty when larger than 1 MiB, which the runner drops. */
  readonly summary: string;
  readonly annotations: readonly Annotation[];
  readonly state: Readonly<Record<string, string>>;
  /** All masks of the job so far. */
  readonly masks: readonly string[];
  /** Processes of this job that were still there when the step's main part had ended; after a kill, 10 s later. */
  readonly orphans: readonly number[];
}

export interface JobOptions {
  /** Registered as masks before the first step, as the runner does with `secrets.*`. */
  readonly secrets?: readonly string[];
  readonly workspace?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `github.token`, which action.yml may name as a default; a mask as on GitHub. Empty when absent. */
  readonly token?: string;
}

/** Runs one step with its `post`; for a job of several steps use `Job`. */
export async function runAction(
  step: StepOptions & JobOptions,
): Promise<StepResult & { readonly post: StepResult | undefined }> {
  const job = new Job({ ...step, env: {} });
  try {
    const result = await job.runStep(step);
    return { ...result, post: await job.runPost(step, result) };
  } finally {
    job.end();
  }
}

/** What the steps of one job share: workspace, temporary folder, masks, environment. */
export class Job {
  readonly masks = new Masks();
  readonly workspace: string;
  readonly temp: string;
  /** GITHUB_ENV and GITHUB_PATH of the steps so far. */
  readonly exported: Record<string, string> = {};
  private readonly folder = mkdtempSync(join(tmpdir(), 'lifeboat-job-'));
  private readonly trackingId = `github_${randomUUID()}`;
  private readonly env: Readonly<Record<string, string>>;
  private readonly token: string;

  constructor(options: JobOptions = {}) {
    this.workspace = options.workspace ?? join(this.folder, 'workspace');
    this.temp = join(this.folder, '_temp');
    this.env = options.env ?? {};
    for (const folder of [this.workspace, this.temp]) mkdirSync(folder, { recursive: true });
    this.token = options.token ?? '';
    for (const secret of [...(options.secrets ?? []), this.token]) if (secret !== '') this.masks.add(secret);
  }

  /** Runs the main part of an action. */
  async runStep(step: StepOptions): Promise<StepResult> {
    const { path, file } = readActionFile(step.action);
    return this.execute(
      step,
      [join(path, file.runs.main)],
      inputsOf(file, step, this.token),
      node,
      unexpected(file, step),
    );
  }

  /** Runs an action's `post`, with the state that its main part saved; undefined when it has none. */
  async runPost(step: StepOptions, main: StepResult): Promise<StepResult | undefined> {
    const { path, file } = readActionFile(step.action);
    if (file.runs.post === undefined) return undefined;
    const state = Object.fromEntries(Object.entries(main.state).map(([name, value]) => [`STATE_${name}`, value]));
    const { interrupt: _, interruption: __, ...rest } = step;
    const env = { ...inputsOf(file, step, this.token), ...state };
    return this.execute({ ...rest, timeoutMs: POST_TIMEOUT_MS }, [join(path, file.runs.post)], env);
  }

  /** Runs commands as `run:` does. */
  async runScript(script: string, env: Readonly<Record<string, string>>, shell?: string): Promise<StepResult> {
    const path = join(this.temp, `${randomUUID()}.sh`);
    writeFileSync(path, script);
    const strict = ['--noprofile', '--norc', '-eo', 'pipefail', path];
    return this.execute({ action: 'run', env }, shell === 'bash' ? strict : ['-e', path], {}, 'bash');
  }

  /** Ends what steps left running and removes the job's folders. */
  end(): void {
    killOrphans(this.trackingId);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async execute(
    step: StepOptions,
    args: readonly string[],
    inputs: Readonly<Record<string, string>>,
    program = node,
    notes: readonly string[] = [],
  ): Promise<StepResult> {
    const files = this.freshFiles();
    const stop = Promise.withResolvers<Interruption>();
    step.interruption?.then(stop.resolve, stop.reject);
    const log = new StepLog(this.masks, step.debug === true, (line) => {
      const what = step.interrupt?.(line);
      if (what !== undefined) stop.resolve(what);
    });
    for (const line of header(step)) log.show(line);
    for (const note of notes) log.take(note);
    const env = { ...this.baseEnv(step), ...files.env, ...inputs };
    const onLine = (line: string) => log.take(line);
    const { timeoutMs = 600_000 } = step;
    const process = { program, args, cwd: this.workspace, env, onLine, interruption: stop.promise, timeoutMs };
    const { code, interrupted } = await runProcess(process);
    const orphans = await orphansAfter(interrupted, this.trackingId);
    return { ...this.collect(files.paths, log), exitCode: code, interrupted, orphans };
  }

  /** A runner's service has little in its environment; what the tests run in must not leak into a step. */
  private baseEnv(step: StepOptions): Record<string, string> {
    const path = this.exported.PATH ?? process.env.PATH ?? '/usr/bin:/bin';
    return {
      HOME: process.env.HOME ?? '/',
      LANG: 'C.UTF-8',
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTOR: 'octocat',
      GITHUB_API_URL: 'https://github.example/api/v3',
      GITHUB_EVENT_NAME: 'schedule',
      GITHUB_REPOSITORY: 'acme/operations',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_RUN_ID: '4711',
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
      GITHUB_WORKSPACE: this.workspace,
      RUNNER_NAME: 'simulated',
      RUNNER_OS: 'Linux',
      RUNNER_TEMP: this.temp,
      RUNNER_TRACKING_ID: this.trackingId,
      ...(step.debug === true ? { RUNNER_DEBUG: '1' } : {}),
      ...this.env,
      ...this.exported,
      ...step.env,
      PATH: step.env?.PATH ?? path,
    };
  }

  private freshFiles(): { env: Record<string, string>; paths: Record<string, string> } {
    const folder = join(this.temp, '_runner_file_commands');
    mkdirSync(folder, { recursive: true });
    const names = ['OUTPUT', 'STATE', 'ENV', 'PATH', 'STEP_SUMMARY'];
    const paths = Object.fromEntries(names.map((name) => [name, join(folder, `${name}_${randomUUID()}`)]));
    for (const path of Object.values(paths)) writeFileSync(path, '');
    return { env: Object.fromEntries(names.map((name) => [`GITHUB_${name}`, paths[name] ?? ''])), paths };
  }

  private collect(paths: Record<string, string>, log: StepLog) {
    const read = (name: string) => readFileSync(paths[name] ?? '', 'utf8');
    const outputs = { ...log.outputs, ...parseFileCommand(read('OUTPUT')) };
    const state = { ...log.state, ...parseFileCommand(read('STATE')) };
    Object.assign(this.exported, parseFileCommand(read('ENV')));
    const added = read('PATH')
      .split('\n')
      .filter((line) => line !== '');
    if (added.length > 0) this.exported.PATH = [...added.reverse(), this.exported.PATH ?? process.env.PATH].join(':');
    const bytes = statSync(paths.STEP_SUMMARY ?? '').size;
    if (bytes > SUMMARY_LIMIT) log.take(`::error::$GITHUB_STEP_SUMMARY upload aborted, it has ${bytes} bytes`);
    const summary = bytes > SUMMARY_LIMIT ? '' : this.masks.hide(read('STEP_SUMMARY'));
    const { text, annotations } = log;
    return { log: text, outputs, summary, annotations, state, masks: [...this.masks.values] };
  }
}

/** Before the step runs, the runner shows what it was given. */
function header(step: StepOptions): string[] {
  const show = (title: string, values: Readonly<Record<string, unknown>>) => {
    const lines = Object.entries(values).map(([name, value]) => `  ${name}: ${String(value)}`);
    return lines.length === 0 ? [] : [title, ...lines];
  };
  return [`▼ Run ${step.action}`, ...show('with:', step.with ?? {}), ...show('env:', step.env ?? {})].flatMap((text) =>
    text.split('\n'),
  );
}

function readActionFile(action: string): { path: string; file: z.output<typeof ActionFile> } {
  const path = resolve(root, action, 'action.yml');
  return { path: dirname(path), file: ActionFile.parse(parse(readFileSync(path, 'utf8'))) };
}

/** Every declared input is set, to what was given, the default, or nothing; one that is not declared too. */
function inputsOf(file: z.output<typeof ActionFile>, step: StepOptions, token: string): Record<string, string> {
  const byDefault = (text = '') => text.replaceAll(/\$\{\{ github\.token \}\}/g, () => token);
  const declared = Object.entries(file.inputs).map(([name, input]) => [name, byDefault(input?.default)] as const);
  const given = Object.entries(step.with ?? {}).map(([name, value]) => [name, String(value)] as const);
  const all = new Map([...declared, ...given]);
  return Object.fromEntries([...all].map(([name, value]) => [variable(name), value]));
}

/** The runner only warns of inputs that are not declared, and passes them on. */
function unexpected(file: z.output<typeof ActionFile>, step: StepOptions): string[] {
  const names = Object.keys(step.with ?? {}).filter((name) => !(name in file.inputs));
  const known = Object.keys(file.inputs).map((name) => `'${name}'`);
  const list = names.map((name) => `'${name}'`).join(', ');
  return names.length === 0 ? [] : [`::warning::Unexpected input(s) ${list}, valid inputs are [${known.join(', ')}]`];
}

function variable(input: string): string {
  return `INPUT_${input.replaceAll(' ', '_').toUpperCase()}`;
}
