export interface StoredIssue {
  readonly number: number;
  title: string;
  body: string;
  state: 'open' | 'closed';
  stateReason: string | null;
  labels: string[];
  assignees: string[];
  readonly creator: string;
  readonly createdAt: Date;
  updatedAt: Date;
  closedAt: Date | undefined;
  readonly isPullRequest: boolean;
  readonly comments: string[];
}

export interface StoredWorkflow {
  readonly file: string;
  readonly name: string;
  state: 'active' | 'deleted' | 'disabled_fork' | 'disabled_inactivity' | 'disabled_manually';
  readonly content: string;
  readonly createdAt: Date;
}

export interface StoredRun {
  readonly id: number;
  readonly workflow: string;
  readonly event: string;
  readonly status: string;
  readonly createdAt: Date;
  readonly jobs: readonly { readonly name: string; readonly status: string; readonly labels: readonly string[] }[];
}

/** What one repository holds, and what its token may; tests change it as they go. */
export interface State {
  readonly owner: string;
  readonly repo: string;
  readonly issues: StoredIssue[];
  readonly labels: string[];
  readonly workflows: StoredWorkflow[];
  readonly runs: StoredRun[];
  readonly runners: { readonly name: string; readonly status: 'online' | 'offline'; readonly labels: string[] }[];
  readonly branch: string;
  issuesEnabled: boolean;
  /** As a workflow's `permissions` say. */
  readonly may: {
    issues: 'none' | 'read' | 'write';
    actions: 'none' | 'read';
    contents: 'none' | 'read';
    runners: boolean;
  };
  /** Without it labels and assignees are dropped. */
  canPush: boolean;
  /** Undefined: the token of a workflow, which is no user. */
  user: string | undefined;
  readonly assignable: string[];
  readonly token: string;
  now(): Date;
}

export function freshState(changes: Partial<State> = {}): State {
  return {
    owner: 'acme',
    repo: 'operations',
    issues: [],
    labels: ['bug'],
    workflows: [],
    runs: [],
    runners: [],
    branch: 'main',
    issuesEnabled: true,
    may: { issues: 'write', actions: 'read', contents: 'read', runners: false },
    canPush: true,
    user: undefined,
    assignable: ['octocat'],
    token: 'ghs_of-the-stand-in',
    now: () => new Date(),
    ...changes,
  };
}

export function creatorOf({ user }: State): string {
  return user ?? 'github-actions[bot]';
}
