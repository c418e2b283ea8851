import type { World } from './ports.ts';
import type { Progress } from './progress.ts';
import { formatBytes } from './size.ts';

const EVERY_MS = 10_000;

/** What a drill is doing right now; written by the run, read by the ticker. */
export interface DrillProgress {
  doing: string;
  readonly totalBytes: number;
  /** Stored bytes read so far; what was read twice counts once. */
  bytes(): number;
}

/** Logs a line every ten seconds until `stop` aborts. */
export async function reportDrillProgress(
  progress: DrillProgress,
  world: Pick<World, 'sleep' | 'log'>,
  stop: AbortSignal,
): Promise<void> {
  const hide = world.log.progress?.(() => drillProgressOf(progress));
  for (let before = 0; ; ) {
    await world.sleep(EVERY_MS, stop);
    if (stop.aborted) return hide?.();
    const bytes = progress.bytes();
    if (hide === undefined) world.log.info(describeDrillProgress(progress, bytes, before));
    before = bytes;
  }
}

/** Of what else a drill does, bytes read say nothing. */
const READING = new Set(['reading facts', 'restoring']);

/** The same for a bar. */
export function drillProgressOf({ doing, totalBytes, bytes }: DrillProgress): Progress {
  if (!READING.has(doing)) return { doing, doneBytes: 0, totalBytes: undefined };
  return { doing, doneBytes: bytes(), totalBytes };
}

/** `restoring: 1.2 GiB of 3.9 GiB read (31 %), 118 MiB/s`; `checking` where nothing of the backup is read. */
export function describeDrillProgress({ doing, totalBytes }: DrillProgress, bytes: number, before: number): string {
  if (!READING.has(doing)) return doing;
  if (bytes >= totalBytes) return `${doing}: all ${formatBytes(totalBytes)} read`;
  const percent = Math.min(100, Math.floor((100 * bytes) / Math.max(1, totalBytes)));
  const rate = formatBytes((bytes - before) / (EVERY_MS / 1000));
  return `${doing}: ${formatBytes(bytes)} of ${formatBytes(totalBytes)} read (${percent} %), ${rate}/s`;
}
