import { Failure } from './failure.ts';

/** A source name: part of every key, so nothing in it can leave the store's folder. */
const SOURCE = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const ID = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-[0-9a-f]{6}$/;

export type BackupId = string;

/** Folder names of a source that hold no backups. */
const RESERVED = new Set(['wal', 'restores']);

/** Whether `name` can be a source. `wal` is reserved for WAL segments. */
export function isSourceName(name: string): boolean {
  return SOURCE.test(name) && name !== 'wal';
}

/** Throws a `Failure` (`invalid-input`) that names the value and what is allowed. */
export function checkSourceName(name: string): string {
  if (isSourceName(name)) return name;
  throw new Failure('invalid-input', `"${name}" cannot be the name of a source.`, {
    hint: 'Use 1 to 63 lower-case letters, digits, `-` or `_`, beginning with a letter or digit; `wal` is reserved.',
  });
}

/**
 * The id of a backup, drill or restore: UTC in whole seconds and six random hex digits.
 *
 * @param random six lower-case hex digits
 */
export function makeId(at: Date, random: string): BackupId {
  const stamp = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '');
  return `${stamp}-${random}`;
}

/** The moment in an id, or undefined when `text` is no id (a folder of somebody else, a 13th month). */
export function momentOfId(text: string): Date | undefined {
  const parts = ID.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) || at.toISOString() !== iso ? undefined : at;
}

export function isId(text: string): boolean {
  return momentOfId(text) !== undefined;
}

export const MANIFEST = 'manifest.json';
export const IN_PROGRESS = 'in-progress.json';
export const REMOVING = 'removing.json';

export function backupPrefix(source: string, id: BackupId): string {
  return `${source}/${id}/`;
}

export function backupKey(source: string, id: BackupId, relative: string): string {
  return backupPrefix(source, id) + relative;
}

/** Where an object of a store is, for people. The location of a bucket may end with its endpoint. */
export function whereIs({ location }: { readonly location: string }, key: string): string {
  const [place = '', endpoint] = location.split('?', 2);
  return `${place}/${key}${endpoint === undefined ? '' : `?${endpoint}`}`;
}

/** A key of a backup's folder, taken apart; undefined for what belongs to no backup. */
export function parseBackupKey(key: string): { source: string; id: BackupId; relative: string } | undefined {
  const [source, id, ...rest] = key.split('/');
  if (source === undefined || id === undefined || rest.length === 0) return undefined;
  if (!isSourceName(source) || RESERVED.has(id) || !isId(id)) return undefined;
  return { source, id, relative: rest.join('/') };
}
