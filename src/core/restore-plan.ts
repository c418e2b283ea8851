import { counted } from './counted.ts';
import { bytesOf } from './drill-fetch.ts';
import { formatDuration } from './duration.ts';
import type { Finding } from './report.ts';
import { judgeGuards } from './restore-guards.ts';
import { quoteName, type RestoreNames, restoreNames, safetySourceOf } from './restore-names.ts';
import { type RestoreAsked, type RestoreKnown, type RestoreWay, takesSafetyBackup, wayOf } from './restore-request.ts';
import { formatBytes } from './size.ts';
import { median } from './size-judgement.ts';

/** What a restore does, in the words of its log, report and record. */
export type StepName =
  | 'remove leftovers'
  | 'read the backup'
  | 'run before'
  | 'back up the target'
  | 'drop the target'
  | 'restore'
  | 'compare'
  | 'reindex'
  | 'analyze'
  | 'count critical tables'
  | 'open'
  | 'rename'
  | 'swap'
  | 'run after'
  | 'check health'
  | 'drop the old database';

export interface PlannedStep {
  readonly name: StepName;
  /** In words, with the SQL that matters. */
  readonly what: string;
}

export interface RestorePlan {
  readonly way: RestoreWay;
  readonly target: string;
  readonly names: RestoreNames;
  /** Of the guards. */
  readonly findings: readonly Finding[];
  readonly isRefused: boolean;
  /** In the order they are carried out. */
  readonly steps: readonly PlannedStep[];
  /** Databases of restores that were killed. */
  readonly leftovers: readonly string[];
  /** Source of the backup that is taken of the target; undefined: none is. */
  readonly safetySource: string | undefined;
}

/** Decides what a restore would do, and whether it may. Changes nothing and asks nobody. */
export function planRestore(asked: RestoreAsked, known: RestoreKnown): RestorePlan {
  const way = wayOf(asked, known.state);
  const findings = judgeGuards(asked, known);
  const planned = {
    way,
    target: known.target,
    names: restoreNames(known.target, asked.id),
    leftovers: known.state.leftDatabases.filter(({ what }) => what === 'unfinished').map(({ name }) => name),
    safetySource: takesSafetyBackup(asked, known.state, way) ? safetySourceOf(asked.source) : undefined,
  };
  const isRefused = findings.some(({ status }) => status === 'fail' || status === 'unknown');
  return { ...planned, findings, isRefused, steps: stepsOf(asked, known, planned) };
}

type Planned = Pick<RestorePlan, 'way' | 'target' | 'names' | 'leftovers' | 'safetySource'>;

function stepsOf(asked: RestoreAsked, known: RestoreKnown, planned: Planned): PlannedStep[] {
  const { way } = planned;
  // Beside a target that is left alone nothing need be stopped, and nothing would start it again.
  const takesPlace = way !== 'beside';
  return [
    ...step('remove leftovers', planned.leftovers.length > 0 && dropWords(planned.leftovers)),
    ...step('read the backup', way === 'drop-first' && readWords(known)),
    // First of all: what the application writes after the backup of the target would be in neither.
    ...step('run before', takesPlace && asked.before !== undefined && `Runs \`before\`: ${firstLine(asked.before)}`),
    ...step('back up the target', planned.safetySource !== undefined && safetyWords(planned, planned.safetySource)),
    ...step('drop the target', way === 'drop-first' && `DROP DATABASE ${quoteName(planned.target)}`),
    ...step('restore', buildWords(known, planned)),
    ...step(
      'compare',
      'Compares the restored database with the facts of the snapshot. A difference ends the restore here.',
    ),
    ...step('reindex', asked.reindex && `REINDEX DATABASE ${quoteName(planned.names.restored)}`),
    ...step('analyze', asked.analyze && 'ANALYZE, so that queries are planned well from the first on'),
    ...step(
      'count critical tables',
      asked.criticalTables.length > 0 && `Counts the rows of ${asked.criticalTables.join(', ')}`,
    ),
    ...placeSteps(known, planned),
    ...step('run after', takesPlace && asked.after !== undefined && `Runs \`after\`: ${firstLine(asked.after)}`),
    ...step('check health', takesPlace && asked.health !== undefined && healthWords(asked)),
    ...step('drop the old database', way === 'replace' && dropOldWords(asked, planned)),
  ];
}

/** Nothing for a step that is not wanted. */
function step(name: StepName, what: string | false): PlannedStep[] {
  return what === false ? [] : [{ name, what }];
}

function dropWords(names: readonly string[]): string {
  return `${names.map((name) => `DROP DATABASE ${quoteName(name)}`).join('; ')} (left by a restore that was killed)`;
}

function readWords({ manifest, backup }: RestoreKnown): string {
  return `Reads ${backup.id} to its end (${formatBytes(bytesOf(manifest))}): what cannot be read must not be found out once the target is gone`;
}

function safetyWords({ target }: Planned, source: string): string {
  return `Backs up ${target} as source ${source} into the same stores, pins it, and reads it back`;
}

function buildWords({ manifest, backup }: RestoreKnown, { names }: Planned): string {
  const database = quoteName(names.restored);
  return `CREATE DATABASE ${database} with owner, settings, grants and limit of the backup; restores ${backup.id} into it (${formatBytes(bytesOf(manifest))} stored, ${formatBytes(manifest.totals.databaseBytes)} at the source)`;
}

function placeSteps({ state }: RestoreKnown, { way, target, names }: Planned): PlannedStep[] {
  const restored = quoteName(names.restored);
  const place = quoteName(target);
  if (way === 'beside')
    return step('open', `Leaves ${restored} beside ${place}, open to everybody, with the command that swaps them`);
  const rename = `ALTER DATABASE ${restored} RENAME TO ${place}`;
  if (way === 'create' || way === 'drop-first') return step('rename', rename);
  const count = state.database?.connections.reduce((sum, one) => sum + one.count, 0) ?? 0;
  const ended = count === 0 ? '' : `Ends ${counted(count, 'connection')}; `;
  return step(
    'swap',
    `${ended}ALTER DATABASE ${place} RENAME TO ${quoteName(names.old)}; ${rename}; both in one transaction`,
  );
}

function healthWords({ health }: RestoreAsked): string {
  return `GET ${health === undefined ? '' : shownUrl(health.url)} until it answers 2xx, at most ${formatDuration(health?.timeoutMs ?? 0)}`;
}

function dropOldWords({ health }: RestoreAsked, { names }: Planned): string {
  return `DROP DATABASE ${quoteName(names.old)}${health === undefined ? '' : ', once the application is healthy'}`;
}

/** A URL without what may be a secret in it. */
export function shownUrl(text: string): string {
  const url = new URL(text);
  return `${url.origin}${url.pathname}`;
}

export function firstLine(script: string): string {
  const [first = '', ...rest] = script.split('\n').filter((line) => line.trim() !== '');
  return rest.length === 0 ? first : `${first} … (${counted(rest.length + 1, 'line')})`;
}

/** How long the restore itself took in drills, in words; the number says how much to believe. */
export function describeEstimate(seconds: readonly number[]): string {
  const middle = median(seconds);
  if (middle === undefined) return 'not known: no drill of this source has restored anything here';
  const time = (value: number) => formatDuration(value * 1000);
  const range = seconds.length === 1 ? '' : `, from ${time(Math.min(...seconds))} to ${time(Math.max(...seconds))}`;
  return `about ${time(middle)} (${counted(seconds.length, 'drill')}${range})`;
}

/** For the log, before anything is done. */
export function planLines(plan: RestorePlan): string[] {
  return plan.steps.map(({ name, what }, at) => `${at + 1}. ${name}: ${what}`);
}

/** What becomes of the target's data, in one sentence. */
export function describeWay({ way, target, names }: RestorePlan): string {
  const restored = names.restored;
  const words: Record<RestoreWay, string> = {
    create: `${target} does not exist and is created.`,
    beside: `${target} is left as it is; the backup is restored beside it as ${restored}.`,
    swap: `The backup takes the place of ${target}; what is there now is kept as ${names.old}.`,
    replace: `The backup takes the place of ${target}; what is there now is dropped at the end.`,
    'drop-first': `${target} is dropped first, then the backup is restored in its place.`,
  };
  return words[way];
}
