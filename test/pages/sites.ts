import { status } from '../../src/commands/status.ts';
import { backupKey } from '../../src/core/keys.ts';
import type { Store, World } from '../../src/core/ports.ts';
import type { Report } from '../../src/core/report.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { at, fakeWorld, putBackup, putDrill } from '../fixtures.ts';

// Stores with a story of a year, for the pages that tests and screenshots show.

export const now = '2026-11-21T12:00:00Z';
const DAY_MS = 86_400_000;

export interface Story {
  readonly source: string;
  /** How many days ago the newest backup was taken. */
  readonly newestDaysAgo?: number;
  /** Bytes of the newest backup against what they should be. */
  readonly shrunk?: number;
  readonly drills?: 'weekly' | 'none' | 'disproven';
}

export function emptyStore(location = 'file:///srv/backups'): MemoryStore {
  return memoryStore({ location, now: () => at(now) });
}

/** Memory would not hold a year of real dumps: a store that says each is a million times as large as it is. */
const LARGER = 1_000_000;

export function enlarged(store: MemoryStore): Store {
  const list: Store['list'] = async function* (...args) {
    for await (const object of store.list(...args)) {
      yield object.key.endsWith('.zst') ? { ...object, bytes: object.bytes * LARGER } : object;
    }
  };
  return new Proxy<Store>(store, {
    get: (target, name: keyof Store) => {
      const value: unknown = name === 'list' ? list : Reflect.get(target, name, target);
      return typeof value === 'function' && name !== 'list' ? value.bind(target) : value;
    },
  });
}

/** What 14 daily, 8 weekly and 12 monthly rules have left of a year of nightly backups, with drills on Sundays. */
export async function tellStory(store: MemoryStore, story: Story): Promise<void> {
  const { source, newestDaysAgo = 0, shrunk = 1, drills = 'weekly' } = story;
  for (const daysAgo of keptDays().filter((day) => day >= newestDaysAgo)) {
    const takenAt = new Date(at('2026-11-21T03:17:00Z').getTime() - daysAgo * DAY_MS);
    const isNewest = daysAgo === newestDaysAgo;
    const bytes = Math.round((4_000 - daysAgo * 6 + wobble(daysAgo) * 60) * (isNewest ? shrunk : 1));
    const manifest = putBackup(store, takenAt, { source, bytes });
    const durationSeconds = 40 + wobble(daysAgo) * 5 + (400 - daysAgo) / 20;
    const artifacts = manifest.artifacts.map((one) => ({ ...one, bytes: one.bytes * LARGER }));
    const text = JSON.stringify({ ...manifest, artifacts, durationSeconds });
    store.overwrite(backupKey(source, manifest.id, 'manifest.json'), Buffer.from(text), takenAt);
    const isLast = daysAgo - newestDaysAgo < 7;
    if (drills === 'none' || takenAt.getUTCDay() !== 0) continue;
    await putDrill(store, manifest, new Date(takenAt.getTime() + 3 * 3_600_000), {
      restoreSeconds: 95 + wobble(daysAgo + 3) * 12 + (400 - daysAgo) / 8,
      ...(drills === 'disproven' && isLast && { verdict: 'fail', proof: 'disproven' }),
    });
  }
}

function keptDays(): number[] {
  const days = [...Array(14).keys(), ...Array.from({ length: 8 }, (_, week) => 6 + week * 7)];
  const months = Array.from({ length: 12 }, (_, month) => 21 + month * 30);
  return [...new Set([...days, ...months])].toSorted((a, b) => b - a);
}

function wobble(seed: number): number {
  return Math.sin(seed * 1.7) + Math.sin(seed * 0.6);
}

export interface Shown {
  readonly report: Report;
  readonly page: string;
}

/** Runs `lifeboat status --html` on stores in memory. */
export async function showStatus(
  stores: readonly Store[],
  raw: Record<string, string> = {},
  rest: Partial<World> = {},
): Promise<Shown> {
  let page = '';
  const writePage = async (path: string, text: string) => {
    page = text;
    return path;
  };
  const urls = Object.fromEntries(stores.map((store) => [store.location, store]));
  const given = { html: 'out', store: Object.keys(urls).join('\n'), ...raw };
  return { report: await status(given, fakeWorld(urls, now, { writePage, ...rest })), page };
}

/** A page of so many sources, in two stores while they are few: of three, one is well, one warns, one fails; of many, one in nine fails. */
export async function pageOf(sources: number, raw: Record<string, string> = {}): Promise<string> {
  const stores = [emptyStore(), ...(sources > 3 ? [] : [emptyStore('s3://acme-backups/prod')])];
  const names = ['orders', 'customers', 'wallets', ...Array.from({ length: 97 }, (_, at) => `tenant-${at + 1}`)];
  for (const [at, source] of names.slice(0, sources).entries()) {
    for (const store of stores) await tellStory(store, { source, ...mishap(at) });
  }
  return (await showStatus(stores.map(enlarged), raw)).page;
}

function mishap(at: number): Omit<Story, 'source'> {
  if (at === 1 || at % 9 === 8) return { newestDaysAgo: 3 };
  if (at === 2) return { drills: 'none' };
  return at % 20 === 19 ? { drills: 'disproven' } : {};
}

export const keep = { 'keep-daily': '14', 'keep-weekly': '8', 'keep-monthly': '12' } as const;
