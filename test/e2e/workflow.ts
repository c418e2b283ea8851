import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import { parse } from 'yaml';
import { z } from 'zod';
import { Job, root, type StepOptions, type StepResult } from './runner.ts';

const Scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const StepSchema = z.object({
  id: z.string().optional(),
  name: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  shell: z.string().optional(),
  if: Scalar.optional(),
  with: z.record(z.string(), Scalar).default({}),
  env: z.record(z.string(), Scalar).default({}),
  'continue-on-error': z.boolean().default(false),
});
export type WorkflowStep = z.input<typeof StepSchema>;

const Workflow = z.object({
  env: z.record(z.string(), Scalar).default({}),
  jobs: z.record(z.string(), z.object({ env: z.record(z.string(), Scalar).default({}), steps: z.array(StepSchema) })),
});

type Conclusion = 'success' | 'failure' | 'cancelled' | 'skipped';
type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

export interface JobRun {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly vars?: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, Plain>>;
  readonly matrix?: Readonly<Record<string, Plain>>;
  readonly github?: Readonly<Record<string, Plain>>;
  readonly needs?: Readonly<Record<string, Plain>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly workspace?: string;
  /** Stands in for an action that is not ours, by `owner/name` (without the version). Otherwise it does nothing. */
  readonly others?: Readonly<
    Record<string, (given: Readonly<Record<string, string>>) => { env?: Record<string, string> }>
  >;
  /** Changes a step's inputs and environment before it runs, e.g. to put a test's store in place of an example's. */
  readonly adjust?: (step: StepOptions) => StepOptions;
}

export interface StepRun {
  readonly name: string;
  /** Before `continue-on-error`. */
  readonly outcome: Conclusion;
  readonly conclusion: Conclusion;
  /** Undefined for a step that was skipped or is another's action. */
  readonly result: StepResult | undefined;
}

/** Reads one job of a workflow file and runs its steps. */
export async function runWorkflowJob(path: string, job: string, run: JobRun = {}) {
  const workflow = Workflow.parse(parse(readFileSync(join(root, path), 'utf8')));
  const found = workflow.jobs[job];
  if (found === undefined) throw new Error(`${path} has no job ${job}.`);
  return await runJob(found.steps, { ...run, env: { ...workflow.env, ...found.env, ...run.env } });
}

/** Runs steps one after another: `uses:` of our actions, `run:`, `if:`, expressions, then every `post`. */
export async function runJob(
  steps: readonly WorkflowStep[],
  run: JobRun = {},
): Promise<{ conclusion: Conclusion; steps: StepRun[] }> {
  const job = new Job({
    secrets: Object.values(run.secrets ?? {}),
    ...(run.workspace && { workspace: run.workspace }),
    // Without one given, steps tell nobody: there is no GitHub to tell it to.
    token: String(run.github?.token ?? ''),
  });
  const context = new Context(run, job);
  const done: StepRun[] = [];
  const posts: (() => Promise<unknown>)[] = [];
  try {
    for (const step of steps.map((each) => StepSchema.parse(each))) {
      const finished = await runOne(step, run, job, context, posts);
      context.finish(step.id, finished);
      done.push(finished);
    }
    for (const post of posts.reverse()) await post();
    return { conclusion: context.status, steps: done };
  } finally {
    job.end();
  }
}

async function runOne(
  step: z.output<typeof StepSchema>,
  run: JobRun,
  job: Job,
  context: Context,
  posts: (() => Promise<unknown>)[],
): Promise<StepRun> {
  const name = step.name ?? step.uses ?? step.run?.split('\n')[0] ?? '';
  if (!context.condition(step.if)) return { name, outcome: 'skipped', conclusion: 'skipped', result: undefined };
  const env = { ...context.texts(run.env ?? {}), ...context.texts(step.env) };
  const given = context.texts(step.with);
  const ours = folderOf(step.uses ?? '');
  let result: StepResult | undefined;
  if (step.run !== undefined) result = await job.runScript(context.text(step.run), env, step.shell);
  else if (ours !== undefined) {
    const asked = { action: ours, with: given, env };
    const options = run.adjust?.(asked) ?? asked;
    const main = await job.runStep(options);
    posts.push(() => job.runPost(options, main));
    result = main;
  } else Object.assign(job.exported, run.others?.[step.uses?.split('@')[0] ?? '']?.(given).env ?? {});
  const outcome = result === undefined || result.exitCode === 0 ? 'success' : 'failure';
  return { name, outcome, conclusion: step['continue-on-error'] ? 'success' : outcome, result };
}

/** `./backup`, `OWNER/lifeboat/backup@v1` and `OWNER/lifeboat@v1` are ours. */
function folderOf(uses: string): string | undefined {
  if (uses.startsWith('./')) return uses.slice(2) || '.';
  const parts = /^[^/@]+\/lifeboat(?:\/([a-z-]+))?@/.exec(uses);
  return parts === null ? undefined : (parts[1] ?? '.');
}

/** Contexts and functions of expressions, as far as steps of one job see them. */
class Context {
  status: Conclusion = 'success';
  private readonly steps: Record<string, Plain> = {};
  private readonly run: JobRun;
  private readonly job: Job;

  constructor(run: JobRun, job: Job) {
    this.run = run;
    this.job = job;
  }

  finish(id: string | undefined, { outcome, conclusion, result }: StepRun): void {
    if (conclusion === 'failure') this.status = 'failure';
    if (id !== undefined) this.steps[id] = { outcome, conclusion, outputs: result?.outputs ?? {} };
  }

  /** `if:`; without a status function it means "and everything went well so far". */
  condition(text: string | undefined): boolean {
    const expression = (text ?? 'success()').replace(/^\s*\$\{\{(.*)\}\}\s*$/s, '$1');
    const hasStatus = /\b(success|failure|always|cancelled)\s*\(/.test(expression);
    const value = this.evaluate(hasStatus ? expression : `success() && (${expression})`);
    return value.coerceString() === 'true' || (value.kind !== data.Kind.Boolean && value.coerceString() !== '');
  }

  texts(values: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, this.text(value)]));
  }

  text(template: string): string {
    return template.replaceAll(/\$\{\{((?:'(?:[^']|'')*'|[^'])*?)\}\}/g, (_, expression: string) =>
      this.evaluate(expression).coerceString(),
    );
  }

  private evaluate(expression: string): data.ExpressionData {
    const contexts = JSON.parse(JSON.stringify(this.contexts()), data.reviver) as data.Dictionary;
    const status = (name: string, value: boolean) => ({
      name,
      minArgs: 0,
      maxArgs: 0,
      call: () => new data.BooleanData(value),
    });
    const functions = [
      status('success', this.status === 'success'),
      status('failure', this.status === 'failure'),
      status('cancelled', this.status === 'cancelled'),
      status('always', true),
    ];
    const names = contexts.pairs().map(({ key }) => key);
    const { tokens } = new Lexer(expression.trim()).lex();
    const parsed = new Parser(tokens, names, functions).parse();
    return new Evaluator(parsed, contexts, new Map(functions.map((each) => [each.name, each]))).evaluate();
  }

  private contexts(): Record<string, Plain> {
    const { secrets = {}, vars = {}, inputs = {}, matrix = {}, github = {}, needs = {}, env = {} } = this.run;
    const repository = { repository: 'acme/operations', token: 'ghs_simulated', event_name: 'schedule', ...github };
    const runner = { os: 'Linux', arch: 'X64', temp: this.job.temp, name: 'simulated' };
    const job = { status: this.status };
    const all = { secrets, vars, inputs, matrix, needs, runner, job, steps: this.steps };
    return { ...all, github: { workspace: this.job.workspace, ...repository }, env: { ...env, ...this.job.exported } };
  }
}
