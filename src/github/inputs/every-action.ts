import { notifyOn } from '../../core/change.ts';
import { parseNotify } from '../../core/notify-target.ts';
import { choice, duration, lines, parsed, text } from '../inputs.ts';

/** Who is told of a report, and how. What is told never changes the verdict. */
export const publishing = {
  'github-token': text(
    'Token that opens, updates and closes issues (`issues: write`) and reads schedules (`actions: read`, `contents: read`). With an empty one neither is done.',
    { secret: true, actionDefault: '${{ github.token }}' },
  ).optional(),
  issue: choice(
    ['on-failure', 'never'],
    'Whether an issue is opened when something is wrong; it is kept up to date and closed when it is over. Never by runs of pull requests and merge queues.',
  ).prefault('on-failure'),
  'issue-assignees': lines('Users that a new issue is assigned to, one a line.').prefault(''),
  'issue-labels': lines('Labels of a new issue beside `lifeboat`, one a line; created where missing.').prefault(''),
  'metrics-file': text(
    'File for the textfile collector of node_exporter, e.g. `/var/lib/prometheus/node-exporter/lifeboat.prom`; all actions and sources may share one. `docs/METRICS.md` lists the metrics.',
    { env: true },
  )
    .refine((path) => /^\/.*[^/]\.prom$/.test(path), 'Use an absolute path that ends in `.prom`.')
    .optional(),
  'pushgateway-url': text('Pushgateway that gets the same metrics, e.g. `https://user:password@push.example:9091`.', {
    secret: true,
  })
    .refine(isWebUrl, 'Use an `http://` or `https://` URL without a query.')
    .optional(),
  notify: parsed(
    parseNotify,
    "Who is told of a verdict, one URL a line: `slack+https://` (an incoming webhook), `telegram://token@chat`, `smtps://` or `smtp://user:password@host?to=`, `webhook+https://` (JSON), `ping+https://` (a dead-man's switch, told of every run).",
    { secret: true, env: true },
  ).prefault(''),
  'notify-on': choice(
    notifyOn,
    'When `notify` tells: on every `failure`, on each `change` (the first failure, one of another kind on top of it, and recovery), or `always`. Pings go out always.',
  ).prefault('change'),
} as const;

function isWebUrl(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
}

/** Inputs of every action: where backups are, how long anything may take, and who is told. */
export const common = {
  store: lines(
    'Where backups are, one URL a line: `file:///srv/backups` or `s3://bucket/prefix?region=eu-central-1`.',
    { env: true },
  ),
  timeout: duration(
    'Time after which the step gives up and cleans up after itself, e.g. `6h`; no limit when empty.',
    { env: true },
    1,
  ).optional(),
  'stall-timeout': duration(
    'Time without a single byte moved after which a transfer is given up; with `scratch-url` also without an answer of that server.',
    {},
    1,
  ).prefault('5m'),
  ...publishing,
} as const;
