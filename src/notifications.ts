import { createHash } from 'node:crypto';
import { type Change, changeSince, nextStanding } from './core/change.ts';
import type { Report } from './core/report.ts';
import { notifyAll, type Telling } from './notify/notify.ts';
import { verdictMemory } from './sys/verdict-memory.ts';
import { defaultScratchDir } from './world.ts';

/** Tries one way of telling; undefined when it failed, which is noted then. */
export type Tell = <T>(what: string, use: (signal: AbortSignal) => Promise<T>) => Promise<T | undefined>;

/** What names the work of a step from one run to the next, as it was typed. */
export interface Subject {
  readonly source: string;
  readonly store: string;
}

/**
 * Sends the notifications of a report, and remembers the verdict for those of the next run. Whoever
 * could not be told of a change hears of it then.
 *
 * @param seen what issues know of the verdict before; undefined where there are none
 */
export async function tellPeople(
  report: Report,
  seen: Change | undefined,
  telling: Telling & { readonly subject: Subject },
  tell: Tell,
  base = defaultScratchDir(),
): Promise<void> {
  const thread = threadOf(telling);
  const now = telling.now();
  // A ping says the same whatever was before.
  const needsMemory = telling.given.notify.some(({ kind }) => kind !== 'ping');
  const memory = needsMemory ? verdictMemory(base, thread) : undefined;
  const before = await memory?.read();
  const change = seen ?? changeSince(before, report);
  const sendables = notifyAll(report, { change, before, thread, now }, telling);
  const owed = await Promise.all(
    sendables.map(async ({ what, owedTo, send }) => {
      const isTold = await tell(what, (signal) => send(signal).then(() => true));
      return isTold === undefined && owedTo !== undefined ? [owedTo] : [];
    }),
  );
  const standing = nextStanding(before, report, { now, owed: owed.flat() });
  if (memory !== undefined) await tell('memory of the verdict', () => memory.write(standing));
}

function threadOf({ action, run, subject }: Telling & { readonly subject: Subject }): string {
  const lines = (text: string) =>
    text
      .split(/\s+/)
      .filter((line) => line !== '')
      .toSorted();
  const text = JSON.stringify([run.repository ?? '', action, lines(subject.source), lines(subject.store)]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
