import type { World } from './ports.ts';
import { formatBytes } from './size.ts';
import { withTicker } from './ticker.ts';

/** How far something is. */
export interface Progress {
  readonly doing: string;
  readonly doneBytes: number;
  /** Undefined: nobody knows. */
  readonly totalBytes: number | undefined;
  /** `totalBytes` is an upper bound: the end may come sooner. */
  readonly isEstimate?: boolean;
}

/** A moment of it, for the rate. */
export interface ProgressSample {
  readonly atMs: number;
  readonly doneBytes: number;
}

/** Does `work`, and shows how far it is: in place where that can be drawn, else by a line every ten seconds. */
export async function withProgress<T>(
  world: Pick<World, 'sleep' | 'log'>,
  look: () => Progress,
  work: () => Promise<T>,
): Promise<T> {
  const hide = world.log.progress?.(look);
  if (hide === undefined) return withTicker(world, () => describeProgress(look()), work);
  try {
    return await work();
  } finally {
    hide();
  }
}

function describeProgress({ doing, doneBytes, totalBytes }: Progress): string {
  return `${doing}: ${formatBytes(doneBytes)}${totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`}`;
}

/** The rate is taken over so long: shorter jumps, longer hides a stall. */
const WINDOW_MS = 10_000;

/** What of the samples still counts, the newest with them. */
export function addSample(samples: readonly ProgressSample[], sample: ProgressSample): ProgressSample[] {
  const isOther = (samples.at(-1)?.doneBytes ?? 0) > sample.doneBytes;
  return [...(isOther ? [] : samples.filter(({ atMs }) => atMs >= sample.atMs - WINDOW_MS)), sample];
}

/** Bytes a second; undefined while there is too little to tell. */
export function rateOf(samples: readonly ProgressSample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.atMs - first.atMs < 1_000) return undefined;
  return ((last.doneBytes - first.doneBytes) * 1_000) / (last.atMs - first.atMs);
}

const BAR = 24;
/** Of several streams at a time: the numbers matter more. */
const LONGEST_NAME = 36;
/** Less room than this is not worth a bar. */
const NARROW = 60;

/**
 * One line of at most `width` characters: `restoring [#####-----] 42 %, 1.2 of 2.9 GiB, 118 MiB/s, 14 s left`. Plain
 * ASCII, since in a disaster nobody has time for a terminal's fonts.
 */
export function drawProgress(progress: Progress, samples: readonly ProgressSample[], width: number): string {
  const { doneBytes, totalBytes, isEstimate = false } = progress;
  const doing = cut(progress.doing, LONGEST_NAME);
  const rate = rateOf(samples);
  const speed = rate === undefined ? [] : [`${formatBytes(rate)}/s`];
  if (totalBytes === undefined || totalBytes <= 0) {
    return cut([`${doing}: ${doneBytes > 0 ? formatBytes(doneBytes) : '...'}`, ...speed].join(', '), width);
  }
  const share = Math.min(isEstimate ? 0.99 : 1, doneBytes / totalBytes);
  const about = isEstimate ? 'about ' : '';
  const numbers = [
    `${Math.floor(share * 100)} %`,
    `${formatBytes(doneBytes)} of ${about}${formatBytes(totalBytes)}`,
    ...speed,
    ...timeLeft(totalBytes - doneBytes, rate, about),
  ].join(', ');
  const filled = Math.round(share * BAR);
  const bar = width < NARROW ? '' : `[${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}] `;
  return cut(`${doing} ${bar}${numbers}`, width);
}

function timeLeft(bytes: number, rate: number | undefined, about: string): string[] {
  if (rate === undefined || rate <= 0 || bytes <= 0) return [];
  const seconds = Math.ceil(bytes / rate);
  if (seconds < 90) return [`${about}${seconds} s left`];
  const minutes = Math.round(seconds / 60);
  return [minutes < 90 ? `${about}${minutes} min left` : `${about}${Math.round(minutes / 6) / 10} h left`];
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : line.slice(0, Math.max(0, width));
}
