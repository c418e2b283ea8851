/**
 * The closed list of metrics: what each one measures, and its labels. Names are a promise to dashboards and
 * alerts: one that is there is never used for something else. All are gauges.
 */
export const metrics = {
  lifeboat_last_run_timestamp_seconds: {
    help: 'When an action last came to its end, whatever it found; Unix time.',
    labels: ['action', 'source'],
  },
} as const satisfies Record<string, { readonly help: string; readonly labels: readonly string[] }>;

export type MetricName = keyof typeof metrics;

/** One value of one metric. */
export interface Sample {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
