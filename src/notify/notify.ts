import { randomUUID } from 'node:crypto';
import { type Change, isWanted, isWell, type NotifyOn, overdue, type Standing } from '../core/change.ts';
import { Failure, messageOf } from '../core/failure.ts';
import type { RunInfo } from '../core/manifest.ts';
import { notificationOf } from '../core/notification.ts';
import { type NotifyTarget, targetId } from '../core/notify-target.ts';
import type { Report } from '../core/report.ts';
import { deliver, deliverStart } from './registry.ts';

/** What is known of a step beside its report. */
export interface Telling {
  readonly action: string;
  readonly given: { readonly notify: readonly NotifyTarget[]; readonly 'notify-on': NotifyOn };
  readonly run: RunInfo;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
}

/** How this run stands to the ones before it. */
export interface History {
  readonly change: Change;
  /** How things stood before, where that is remembered. */
  readonly before: Standing | undefined;
  readonly now: Date;
  /** Names the row of messages about one action and its sources, in hex. */
  readonly thread: string;
}

export interface Sendable {
  readonly what: string;
  /** Who has to hear of it later when it cannot be sent; undefined where the next run tells anyway. */
  readonly owedTo: string | undefined;
  send(signal: AbortSignal): Promise<void>;
}

/** Work waits for this one. */
const START_MS = 10_000;

/** Tells every dead-man's switch that the work begins. */
export async function startPings(given: Telling['given'], telling: Telling, signal: AbortSignal): Promise<void> {
  const { env, now } = telling;
  const sending = { env, now, signal: AbortSignal.any([signal, AbortSignal.timeout(START_MS)]) };
  const pings = given.notify.filter((target) => target.kind === 'ping');
  const results = await Promise.allSettled(pings.map((target) => deliverStart(target, sending)));
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  const [first] = failed;
  if (failed.length > 1 && first instanceof Failure) {
    const message = failed.map(messageOf).join(' ');
    throw new Failure(first.code, message, { cause: first, ...(first.hint !== undefined && { hint: first.hint }) });
  }
  if (first !== undefined) throw first;
}

/** What has to be sent of a report, and to whom. Pings always: silence is their alarm. */
export function notifyAll(report: Report, history: History, telling: Telling): Sendable[] {
  const { notify, 'notify-on': on } = telling.given;
  return notify.flatMap((target): Sendable[] => {
    const id = targetId(target);
    const isOwed = history.before?.owed.includes(id) === true;
    const change = isOwed ? overdue(history.change) : history.change;
    if (target.kind !== 'ping' && !isWanted(change, on)) return [];
    const isNews = target.kind !== 'ping' && (change === 'broke' || change === 'recovered');
    const send = (signal: AbortSignal) => sendTo(target, report, { ...history, change }, telling, signal);
    return [{ what: 'notification', owedTo: isNews ? id : undefined, send }];
  });
}

async function sendTo(
  target: NotifyTarget,
  report: Report,
  history: History,
  { action, run, env, now }: Telling,
  signal: AbortSignal,
): Promise<void> {
  const failingSince = sinceOf(report, history);
  const occasion = { id: randomUUID(), action, run, now: history.now, change: history.change, failingSince };
  const notification = notificationOf(report, occasion);
  await deliver(target, { notification, report, thread: history.thread }, { env, now, signal });
}

/** The beginning of the failure that goes on or has just ended, as far as it is remembered. */
function sinceOf(report: Report, { change, before, now }: History): string | undefined {
  if (change === 'still-well') return undefined;
  if (before !== undefined && !before.well) return before.since;
  return change === 'broke' && !isWell(report.verdict) ? now.toISOString() : undefined;
}
