import type { World } from './ports.ts';
import type { Progress } from './progress.ts';
import { formatBytes } from './size.ts';

const EVERY_MS = 10_000;
/** `in-progress.json` is renewed this often; prune takes one older than an hour for a dead run's. */
const RENEW_EVERY = 60;

/** One stream of a backup. */
export interface ProgressPart {
  readonly name: string;
  /** Upper bound of what the stream will read, in bytes. */
  readonly estimatedBytes: number;
  storedBytes: number;
  plainBytes(): number | undefined;
  isOver: boolean;
}

/** What a backup is doing right now; written by the run, read by the ticker. */
export interface BackupProgress {
  readonly startedAt: Date;
  /** What is being done while no stream is under way. */
  doing: string;
  /** The streams under way, and those that ended while another was. */
  parts: readonly ProgressPart[];
}

/** Shows one more stream, beside those under way. */
export function beginPart(progress: BackupProgress, part: ProgressPart): void {
  const isAlone = progress.parts.every(({ isOver }) => isOver);
  progress.parts = isAlone ? [part] : [...progress.parts, part];
}

/** Logs a line every ten seconds until `stop` aborts, and renews the in-progress mark now and then; `renew` never rejects. */
export async function reportProgress(
  progress: BackupProgress,
  world: World,
  stop: AbortSignal,
  renew: () => Promise<void>,
): Promise<void> {
  const hide = world.log.progress?.(() => progressOf(progress));
  let before = { stored: 0, plain: 0 };
  for (let tick = 1; ; tick++) {
    await world.sleep(EVERY_MS, stop);
    if (stop.aborted) return hide?.();
    const now = lookAt(progress.parts);
    if (hide === undefined) world.log.info(describeProgress(progress, now, before));
    before = now;
    if (tick % RENEW_EVERY === 0) await renew();
  }
}

/** The same for a bar. What goes into compression is measured where it can be; the size of the database bounds it. */
export function progressOf({ doing, parts }: BackupProgress): Progress {
  const { plain, stored } = lookAt(parts);
  const underWay = parts.filter(({ isOver }) => !isOver).map(({ name }) => name);
  if (underWay.length === 0) return { doing, doneBytes: 0, totalBytes: undefined };
  const totalBytes = parts.reduce((sum, { estimatedBytes }) => sum + estimatedBytes, 0);
  const name = underWay.join(', ');
  if (plain === 0) return { doing: name, doneBytes: stored, totalBytes: undefined };
  return { doing: name, doneBytes: plain, totalBytes, isEstimate: true };
}

interface Look {
  readonly stored: number;
  readonly plain: number;
}

function lookAt(parts: readonly ProgressPart[]): Look {
  return {
    stored: parts.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    plain: parts.reduce((sum, part) => sum + (part.plainBytes() ?? 0), 0),
  };
}

/** `database.dump: 1.2 GB read (31 % of about 3.9 GB), 402 MB stored, 118 MB/s`; of several streams the sums. */
export function describeProgress({ doing, parts }: BackupProgress, now: Look, before: Look): string {
  const perSecond = Math.max(0, now.plain - before.plain, now.stored - before.stored) / (EVERY_MS / 1000);
  const estimated = parts.reduce((sum, { estimatedBytes }) => sum + estimatedBytes, 0);
  const percent = Math.min(99, Math.floor((100 * now.plain) / Math.max(1, estimated)));
  const underWay = parts.filter(({ isOver }) => !isOver).map(({ name }) => name);
  const read =
    now.plain > 0 ? `${formatBytes(now.plain)} read (${percent} % of about ${formatBytes(estimated)}), ` : '';
  return `${underWay.join(', ') || doing}: ${read}${formatBytes(now.stored)} stored, ${formatBytes(perSecond)}/s`;
}
