import { z } from 'zod';
import { type Answer, type Handler, refusal } from './server.ts';
import { creatorOf, type State, type StoredIssue } from './state.ts';

const LONGEST = 65_536;
const Text = z.object({ title: z.string(), body: z.string() }).partial();
const Changes = z.object({
  ...Text.shape,
  labels: z.array(z.string()).optional(),
  assignees: z.array(z.string()).optional(),
  state: z.enum(['open', 'closed']).optional(),
  state_reason: z.string().nullish(),
});

const ISSUES = '/repos/{owner}/{repo}/issues';

export const issueHandlers: Readonly<Record<string, Handler>> = {
  'GET /user': ({ user }) =>
    user === undefined
      ? refusal(403, 'Resource not accessible by integration')
      : { status: 200, body: { login: user } },

  [`GET ${ISSUES}`]: (state, { query }) => {
    if (!state.issuesEnabled) return disabled();
    if (state.may.issues === 'none') return refusal(403, 'Resource not accessible by integration');
    const since = new Date(query.get('since') ?? 0);
    const labels = query.get('labels')?.split(',') ?? [];
    const found = state.issues.filter(
      (issue) =>
        (query.get('state') ?? 'open') === issue.state &&
        labels.every((label) => issue.labels.includes(label)) &&
        (query.get('creator') ?? issue.creator) === issue.creator &&
        issue.updatedAt >= since,
    );
    return { status: 200, list: found.toReversed().map((issue) => shown(issue, state)) };
  },

  [`POST ${ISSUES}`]: (state, { body }) =>
    writing(state, () => {
      const { title = '', body: text = '', labels = [], assignees = [] } = Changes.parse(body);
      const stranger = assignees.find((name) => !state.assignable.includes(name));
      if (state.canPush && stranger !== undefined) return invalid('assignees');
      if (text.length > LONGEST || title.length > 256) return invalid('body');
      const kept = state.canPush ? labels : [];
      for (const label of kept) if (!state.labels.includes(label)) state.labels.push(label);
      const issue: StoredIssue = {
        number: state.issues.length + 1,
        title,
        body: text,
        state: 'open',
        stateReason: null,
        labels: [...kept],
        assignees: state.canPush ? [...assignees] : [],
        creator: creatorOf(state),
        createdAt: state.now(),
        updatedAt: state.now(),
        closedAt: undefined,
        isPullRequest: false,
        comments: [],
      };
      state.issues.push(issue);
      return { status: 201, body: shown(issue, state) };
    }),

  [`PATCH ${ISSUES}/{issue_number}`]: (state, { body }, path) =>
    writing(state, () => {
      const issue = issueOf(state, path);
      if (issue === undefined) return refusal(404, 'Not Found');
      const changes = Changes.parse(body);
      if ((changes.body?.length ?? 0) > LONGEST || (changes.title?.length ?? 0) > 256) return invalid('body');
      issue.title = changes.title ?? issue.title;
      issue.body = changes.body ?? issue.body;
      if (changes.state !== undefined && changes.state !== issue.state) {
        issue.closedAt = changes.state === 'closed' ? state.now() : undefined;
      }
      issue.state = changes.state ?? issue.state;
      issue.stateReason = changes.state_reason === undefined ? issue.stateReason : changes.state_reason;
      issue.updatedAt = state.now();
      return { status: 200, body: shown(issue, state) };
    }),

  [`POST ${ISSUES}/{issue_number}/comments`]: (state, { body }, path) =>
    writing(state, () => {
      const issue = issueOf(state, path);
      const text = Text.parse(body).body ?? '';
      if (issue === undefined) return refusal(404, 'Not Found');
      if (text.length > LONGEST) return invalid('body');
      issue.comments.push(text);
      issue.updatedAt = state.now();
      return { status: 201, body: { id: issue.comments.length, body: text } };
    }),

  'GET /repos/{owner}/{repo}/labels/{name}': (state, _call, { name = '' }) =>
    state.labels.includes(name) ? { status: 200, body: { name } } : refusal(404, 'Not Found'),

  'POST /repos/{owner}/{repo}/labels': (state, { body }) =>
    writing(state, () => {
      const { name } = z.object({ name: z.string() }).parse(body);
      if (!state.canPush) return refusal(404, 'Not Found');
      if (state.labels.includes(name)) return invalid('name');
      state.labels.push(name);
      return { status: 201, body: { name } };
    }),
};

function writing(state: State, use: () => Answer): Answer {
  if (!state.issuesEnabled) return disabled();
  return state.may.issues === 'write' ? use() : refusal(403, 'Resource not accessible by integration');
}

function disabled(): Answer {
  return refusal(410, 'Issues are disabled for this repo');
}

function invalid(field: string): Answer {
  return {
    status: 422,
    body: { message: 'Validation Failed', errors: [{ resource: 'Issue', code: 'invalid', field }] },
  };
}

function issueOf(state: State, { issue_number: number }: Readonly<Record<string, string>>): StoredIssue | undefined {
  return state.issues.find((issue) => issue.number === Number(number));
}

function shown(issue: StoredIssue, { owner, repo }: State) {
  return {
    number: issue.number,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    state_reason: issue.stateReason,
    html_url: `https://github.example/${owner}/${repo}/issues/${issue.number}`,
    closed_at: issue.closedAt?.toISOString() ?? null,
    created_at: issue.createdAt.toISOString(),
    updated_at: issue.updatedAt.toISOString(),
    labels: issue.labels.map((name) => ({ name })),
    assignees: issue.assignees.map((login) => ({ login })),
    ...(issue.isPullRequest && { pull_request: { url: null, html_url: null, diff_url: null, patch_url: null } }),
  };
}
