/** A workflow that should run by itself, as GitHub knows it. */
export interface ScheduledWorkflow {
  /** `nightly-backup.yml` */
  readonly file: string;
  /** GitHub's word: `active`, `disabled_inactivity`, `disabled_manually`, `disabled_fork`, `deleted`. */
  readonly state: string;
  /** When GitHub last changed what it knows of it. */
  readonly updatedAt: Date;
  /** Lines of `on.schedule` on the default branch. */
  readonly crons: readonly string[];
  /** Longest time between two runs that these lines ask for, in milliseconds; undefined without any. */
  readonly longestGapMs: number | undefined;
  /** Undefined when it never ran by its schedule, or GitHub has forgotten: it keeps runs for 90 days or more. */
  readonly lastRunAt: Date | undefined;
}

/** A job that no runner has taken yet. */
export interface WaitingJob {
  readonly name: string;
  readonly since: Date;
  /** What it asks of a runner: `self-hosted`, `linux`. */
  readonly labels: readonly string[];
}

export interface Runner {
  readonly name: string;
  readonly isOnline: boolean;
  readonly labels: readonly string[];
}

/**
 * What GitHub knows of schedules. Every method rejects with a `Failure` (`github-denied`, `not-found`,
 * `github-unavailable`) whose hint says what to grant.
 */
export interface Schedules {
  readWorkflow(file: string): Promise<ScheduledWorkflow>;
  /** Jobs of a workflow that wait for a runner now. */
  waitingJobs(file: string): Promise<readonly WaitingJob[]>;
  /** Runners of the repository, without those of its organisation; undefined when the token may not see them. */
  runners(): Promise<readonly Runner[] | undefined>;
}
