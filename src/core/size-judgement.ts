import { type CatalogBackup, isComplete, isInFuture, usualScope } from './catalog.ts';
import { type Finding, finding } from './report.ts';
import { formatBytes } from './size.ts';

/** How many of the newest backups are the history a size is compared with. */
export const SIZE_HISTORY = 10;

export interface SizeLimits {
  readonly minBytes?: number | undefined;
  /** As a fraction of the median: 0.5 lets a backup have half of it or one and a half times. */
  readonly maxDeviation: number;
}

/** Bytes of the ten newest backups of the usual scope taken before `moment`, oldest first. */
export function sizeHistory(catalog: readonly CatalogBackup[], moment: Date): number[] {
  const scope = usualScope(catalog);
  const before = catalog.filter(
    (backup) => isComplete(backup) && backup.scope === scope && backup.takenAt < moment && !isInFuture(backup, moment),
  );
  return before.slice(-SIZE_HISTORY).map(({ bytes }) => bytes);
}

/**
 * Judges how large a backup is. Smaller than it may be is a `fail`: data may be missing. Larger is a
 * `warn` only, since databases grow, and `latest` must not pass over the newest data because of it.
 *
 * @param history bytes of earlier backups, oldest first; the last ten count
 */
export function judgeSize(
  of: { readonly name: string; readonly bytes: number; readonly subject?: string },
  history: readonly number[],
  limits: SizeLimits,
): Finding[] {
  return [
    judgeMinimum(of, limits.minBytes),
    judgeDeviation(of, history.slice(-SIZE_HISTORY), limits.maxDeviation),
  ].filter((one) => one !== undefined);
}

function judgeMinimum(
  { name, bytes, subject }: { name: string; bytes: number; subject?: string },
  minBytes: number | undefined,
): Finding | undefined {
  if (minBytes === undefined) return undefined;
  const isSmall = bytes < minBytes;
  const relation = isSmall ? 'less than' : 'at least';
  const message = `${name} has ${formatBytes(bytes)}, ${relation} the ${formatBytes(minBytes)} it must have.`;
  return finding('min-size', isSmall ? 'fail' : 'pass', message, {
    numbers: { bytes, limitBytes: minBytes },
    ...(subject !== undefined && { subject }),
    ...(isSmall && { hint: 'Look at what the database held at that moment before you rely on this backup.' }),
  });
}

function judgeDeviation(
  { name, bytes, subject }: { name: string; bytes: number; subject?: string },
  history: readonly number[],
  maxDeviation: number,
): Finding {
  const extra = subject === undefined ? {} : { subject };
  const usual = median(history);
  if (usual === undefined) {
    return finding(
      'size-deviation',
      'pass',
      `${name} has ${formatBytes(bytes)}; there are no others to compare with.`,
      extra,
    );
  }
  const share = usual === 0 ? (bytes === 0 ? 0 : Number.POSITIVE_INFINITY) : (bytes - usual) / usual;
  const status = share < -maxDeviation ? 'fail' : share > maxDeviation ? 'warn' : 'pass';
  const percent = Math.round(Math.abs(share) * 100);
  const sign = percent === 0 ? '±' : share < 0 ? '−' : '+';
  const change = Number.isFinite(share) ? `${sign}${percent} %` : 'from nothing';
  const limit = `at most ${Math.round(maxDeviation * 100)} % allowed`;
  const message = `${name} has ${formatBytes(bytes)}, ${change} against ${formatBytes(usual)}, the median of the last ${history.length}; ${limit}.`;
  const numbers = { bytes, medianBytes: usual, limitShare: maxDeviation, backups: history.length };
  return finding('size-deviation', status, message, { numbers, ...extra, ...hintFor(status) });
}

function hintFor(status: 'pass' | 'warn' | 'fail'): { hint?: string } {
  if (status === 'pass') return {};
  const what = status === 'fail' ? 'lost data' : 'holds more than it should';
  return {
    hint: `Find out whether the database ${what}; raise \`max-size-deviation\` if such changes are usual here.`,
  };
}

/** The middle value, or the mean of the two in the middle; undefined of nothing. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
