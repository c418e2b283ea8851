import { describe, expect, it } from 'vitest';
import type { CatalogBackup } from '../../src/core/catalog.ts';
import { sortLeftovers } from '../../src/core/leftovers.ts';
import { at, backupAt } from '../fixtures.ts';

const now = at('2026-11-21T12:00:00Z');
const newest = backupAt('2026-11-21');
const hour = at('2026-11-21T11:00:00Z');

/** What one folder without a manifest is, beside a newest backup. */
function sort(folder: Partial<CatalogBackup>, around: { hidden?: boolean; keepsVersions?: boolean } = {}): string {
  const one = backupAt('2026-11-01', { manifestBytes: undefined, ...folder });
  const hiddenIds = new Set(around.hidden ? [one.id] : []);
  const sorted = sortLeftovers(
    [one, newest],
    { uploads: [], hiddenIds, keepsVersions: around.keepsVersions ?? false },
    now,
  );
  return Object.entries(sorted).find(([, folders]) => folders.includes(one))?.[0] ?? 'nothing';
}

describe('a folder without a manifest', () => {
  it.each([
    { what: 'artifacts and no mark', folder: {}, is: 'beheaded' },
    { what: 'the mark of a backup from long ago', folder: { inProgressAt: at('2026-11-01') }, is: 'abandoned' },
    { what: 'the mark of a backup of today', folder: { inProgressAt: hour, lastChangeAt: hour }, is: 'inProgress' },
    { what: 'the mark of a removal', folder: { removingAt: hour, lastChangeAt: hour }, is: 'abandoned' },
    { what: 'records alone', folder: { artifacts: [] }, is: 'abandoned' },
  ])('with $what is $is', ({ folder, is }) => {
    expect(sort(folder)).toBe(is);
  });

  it('is what older versions say, in a store that keeps them, or what is newer than every backup', () => {
    expect(sort({}, { keepsVersions: true })).toBe('abandoned');
    expect(sort({}, { keepsVersions: true, hidden: true })).toBe('beheaded');
    expect(sort({ takenAt: hour }, { keepsVersions: true })).toBe('beheaded');
  });
});
