import { z } from 'zod';
import { Failure } from '../core/failure.ts';
import type { Log } from '../core/ports.ts';
import type { Runner, ScheduledWorkflow, Schedules, WaitingJob } from '../core/schedules.ts';
import type { Environment } from './inputs.ts';
import { openGitHub, type Requests, readReply } from './requests.ts';
import { intervalOf } from './schedule-interval.ts';
import { openWorkflowReader } from './toolkit.ts';

const ACTIONS = '/repos/{owner}/{repo}/actions';

const GRANT = 'Grant the job `permissions: actions: read` and `contents: read`.';

const Moment = z.string().refine((text) => !Number.isNaN(Date.parse(text)), { error: 'it is no moment' });
const WorkflowReply = z.object({ state: z.string(), path: z.string(), updated_at: Moment });
const ContentReply = z.object({ content: z.string(), encoding: z.literal('base64') });
const RunsReply = z.object({ workflow_runs: z.array(z.object({ id: z.int(), created_at: Moment })) });
const JobsReply = z.object({
  jobs: z.array(
    z.object({ name: z.string(), status: z.string(), created_at: Moment, labels: z.array(z.string()).default([]) }),
  ),
});
const RunnersReply = z.object({
  runners: z.array(
    z.object({ name: z.string(), status: z.string(), labels: z.array(z.object({ name: z.string() })).default([]) }),
  ),
});

/** Runs of one workflow that are looked into: more of them wait for the same runner. */
const MOST_RUNS = 5;
/** For all workflows together: backups are judged after them. */
const LONGEST_CHECK_MS = 120_000;

export interface SchedulesAccess {
  readonly token: string;
  readonly env: Environment;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

interface Place {
  readonly owner: string;
  readonly repo: string;
}

/** Schedules of the repository that this runs in, for two minutes; undefined where there is none. */
export async function openSchedules({
  token,
  env,
  log,
  signal: stop,
  now,
}: SchedulesAccess): Promise<Schedules | undefined> {
  const [owner, repo] = env.GITHUB_REPOSITORY?.split('/') ?? [];
  if (!owner || !repo) return undefined;
  const apiUrl = env.GITHUB_API_URL || 'https://api.github.com';
  const signal = AbortSignal.any([stop, AbortSignal.timeout(LONGEST_CHECK_MS)]);
  const requests = await openGitHub({ token, apiUrl, log, signal, grant: GRANT });
  const place = { owner, repo };
  return {
    readWorkflow: (file) => readWorkflow(requests, place, file, now()),
    waitingJobs: (file) => waitingJobs(requests, place, file),
    runners: () => listRunners(requests, place),
  };
}

async function ask<T extends z.ZodType>(
  requests: Requests,
  what: string,
  route: string,
  parameters: Readonly<Record<string, unknown>>,
  schema: T,
): Promise<z.output<T>> {
  return readReply(what, schema, (await requests.send(what, route, parameters)).data);
}

async function readWorkflow(requests: Requests, place: Place, file: string, now: Date): Promise<ScheduledWorkflow> {
  const asked = { ...place, workflow_id: file };
  const route = `GET ${ACTIONS}/workflows/{workflow_id}`;
  const { state, path, updated_at } = await ask(requests, 'look up the workflow', route, asked, WorkflowReply);
  const runs = await listRuns(requests, place, file, { event: 'schedule', per_page: 1 });
  const newest = runs[0]?.created_at;
  return {
    file,
    state,
    updatedAt: new Date(updated_at),
    ...intervalOf(await readFile(requests, place, path), now, await openWorkflowReader()),
    lastRunAt: newest === undefined ? undefined : new Date(newest),
  };
}

/** From the default branch: the only one whose schedules run. */
async function readFile(requests: Requests, place: Place, path: string): Promise<string> {
  const route = 'GET /repos/{owner}/{repo}/contents/{path}';
  const { content } = await ask(requests, 'read the workflow file', route, { ...place, path }, ContentReply);
  return Buffer.from(content, 'base64').toString('utf8');
}

async function listRuns(
  requests: Requests,
  place: Place,
  file: string,
  filter: Readonly<Record<string, unknown>>,
): Promise<z.output<typeof RunsReply>['workflow_runs']> {
  const asked = { ...place, workflow_id: file, ...filter };
  const route = `GET ${ACTIONS}/workflows/{workflow_id}/runs`;
  return (await ask(requests, 'list runs of the workflow', route, asked, RunsReply)).workflow_runs;
}

/** Also of runs in progress: their later jobs wait on their own. */
async function waitingJobs(requests: Requests, place: Place, file: string): Promise<WaitingJob[]> {
  const waiting: WaitingJob[] = [];
  for (const status of ['queued', 'in_progress']) {
    for (const { id } of await listRuns(requests, place, file, { status, per_page: MOST_RUNS })) {
      const route = `GET ${ACTIONS}/runs/{run_id}/jobs`;
      const { jobs } = await ask(requests, 'list jobs of a run', route, { ...place, run_id: id }, JobsReply);
      const queued = jobs.filter((job) => job.status === 'queued');
      waiting.push(...queued.map(({ name, labels, created_at }) => ({ name, labels, since: new Date(created_at) })));
    }
  }
  return waiting;
}

async function listRunners(requests: Requests, place: Place): Promise<Runner[] | undefined> {
  try {
    const asked = { ...place, per_page: 100 };
    const { runners } = await ask(requests, 'list runners', `GET ${ACTIONS}/runners`, asked, RunnersReply);
    return runners.map(({ name, status, labels }) => ({
      name,
      isOnline: status === 'online',
      labels: labels.map((label) => label.name),
    }));
  } catch (error) {
    // Only administrators see them: no token of a workflow does.
    if (error instanceof Failure && (error.code === 'github-denied' || error.code === 'not-found')) return undefined;
    throw error;
  }
}
