import type { BackupId } from './keys.ts';

/** In bytes; PostgreSQL cuts longer names without a word. */
export const LONGEST_NAME = 63;
/** Names shown of a list. */
const MOST_NAMES = 10;
const SAFETY = '-before-restore';

/** Names that a restore gives to databases of the target's server. */
export interface RestoreNames {
  /** What is restored, until it stands in its place; where nothing is swapped, for good. */
  readonly restored: string;
  /** What stood there before. */
  readonly old: string;
}

/** @param id of the restore: its moment tells the databases of several restores apart */
export function restoreNames(target: string, id: BackupId): RestoreNames {
  const stamp = id.slice(0, 'YYYYMMDDThhmmss'.length).toLowerCase();
  return { restored: withEnding(target, `_restored_${stamp}`), old: withEnding(target, `_old_${stamp}`) };
}

/** Whether `restoreNames` gives such a name for this target; `shop_eu_restored_…` is none of `shop`. */
export function isRestoredName(name: string, target: string): boolean {
  const ending = /_restored_\d{8}t\d{6}$/.exec(name)?.[0];
  return ending !== undefined && name === withEnding(target, ending);
}

/** Whole characters only, at most 63 bytes. */
function withEnding(name: string, ending: string): string {
  let base = '';
  for (const char of name) {
    if (Buffer.byteLength(base + char + ending) > LONGEST_NAME) break;
    base += char;
  }
  return base + ending;
}

/** The source that backups of what a restore takes away are kept under. */
export function safetySourceOf(source: string): string {
  return isSafetySource(source) ? source : source.slice(0, LONGEST_NAME - SAFETY.length) + SAFETY;
}

/** Backups of such a source are taken before restores, and by no schedule: their age says nothing. */
export function isSafetySource(source: string): boolean {
  return source.endsWith(SAFETY);
}

/** An identifier as SQL takes it whatever it is. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A word as a shell takes it whatever it is. */
export function quoteWord(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Of a long list the first ten, and how many more there are. */
export function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
