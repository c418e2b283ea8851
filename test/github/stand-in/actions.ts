import { type Answer, type Handler, refusal } from './server.ts';
import type { State, StoredRun, StoredWorkflow } from './state.ts';

const ACTIONS = '/repos/{owner}/{repo}/actions';

export const actionsHandlers: Readonly<Record<string, Handler>> = {
  [`GET ${ACTIONS}/workflows/{workflow_id}`]: (state, _call, path) =>
    reading(state, () => {
      const workflow = workflowOf(state, path);
      return workflow === undefined ? refusal(404, 'Not Found') : { status: 200, body: shownWorkflow(workflow) };
    }),

  [`GET ${ACTIONS}/workflows/{workflow_id}/runs`]: (state, { query }, path) =>
    reading(state, () => {
      const workflow = workflowOf(state, path);
      if (workflow === undefined) return refusal(404, 'Not Found');
      return runsAnswer(state, query, (run) => run.workflow === workflow.file);
    }),

  [`GET ${ACTIONS}/runs`]: (state, { query }) => reading(state, () => runsAnswer(state, query, () => true)),

  [`GET ${ACTIONS}/runs/{run_id}/jobs`]: (state, _call, { run_id }) =>
    reading(state, () => {
      const run = state.runs.find(({ id }) => id === Number(run_id));
      if (run === undefined) return refusal(404, 'Not Found');
      const jobs = run.jobs.map(({ name, status, labels }, id) => ({
        id,
        name,
        status,
        labels,
        created_at: run.createdAt.toISOString(),
      }));
      return { status: 200, body: { total_count: jobs.length, jobs } };
    }),

  [`GET ${ACTIONS}/runners`]: (state) => {
    if (!state.may.runners) return refusal(403, 'Resource not accessible by integration');
    const runners = state.runners.map(({ name, status, labels }, id) => ({
      id,
      name,
      os: 'linux',
      status,
      busy: false,
      labels: labels.map((label) => ({ name: label })),
    }));
    return { status: 200, body: { total_count: runners.length, runners } };
  },

  'GET /repos/{owner}/{repo}/contents/{path}': (state, _call, { path = '' }) => {
    const workflow = state.workflows.find(({ file }) => path === `.github/workflows/${file}`);
    if (state.may.contents === 'none') return refusal(403, 'Resource not accessible by integration');
    if (workflow === undefined) return refusal(404, 'Not Found');
    const content = Buffer.from(workflow.content).toString('base64').replaceAll(/.{60}/g, '$&\n');
    const size = workflow.content.length;
    return { status: 200, body: { type: 'file', encoding: 'base64', size, name: workflow.file, path, content } };
  },
};

function reading(state: State, use: () => Answer): Answer {
  return state.may.actions === 'read' ? use() : refusal(403, 'Resource not accessible by integration');
}

function workflowOf(state: State, { workflow_id }: Readonly<Record<string, string>>): StoredWorkflow | undefined {
  return state.workflows.find(({ file }) => file === workflow_id);
}

function shownWorkflow({ file, name, state, createdAt }: StoredWorkflow) {
  const at = createdAt.toISOString();
  return { id: 1, name, path: `.github/workflows/${file}`, state, created_at: at, updated_at: at };
}

/** Newest first, as GitHub lists them. */
function runsAnswer(state: State, query: URLSearchParams, isMeant: (run: StoredRun) => boolean): Answer {
  const found = state.runs
    .filter(
      (run) =>
        isMeant(run) &&
        (query.get('event') ?? run.event) === run.event &&
        (query.get('status') ?? run.status) === run.status,
    )
    .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  const runs = found
    .slice(0, Number(query.get('per_page') ?? 30))
    .map(({ id, workflow, event, status, createdAt }) => ({
      id,
      event,
      status,
      created_at: createdAt.toISOString(),
      run_started_at: createdAt.toISOString(),
      path: `.github/workflows/${workflow}`,
      html_url: `https://github.example/acme/operations/actions/runs/${id}`,
    }));
  return { status: 200, body: { total_count: found.length, workflow_runs: runs } };
}
