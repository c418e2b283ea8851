import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestPostgres } from '../servers/postgresql.ts';
import type { Rgw } from '../servers/rgw.ts';
import type { StoreFiles } from './bytes-in-store.ts';
import type { Disk } from './disk.ts';
import { type Run, startProgram } from './program.ts';

export const SOURCE = 'shop';

export type Action = 'backup' | 'restore-drill' | 'verify-freshness' | 'prune';
/** `disk`: a folder on a file system of its own, with the scratch folder beside it. */
export type StoreKind = 'file' | 's3' | 'disk';

/** One place for one fault: a store that holds a backup or several, and a folder for scratch servers. */
export interface Site {
  readonly server: TestPostgres;
  readonly scratchDir: string;
  readonly store: StoreFiles;
  readonly databaseUrl: string;
  /** Id to manifest, as they were before the fault. */
  readonly before: ReadonlyMap<string, string>;
  readonly s3Endpoint: string | undefined;
  readonly disk: Disk | undefined;
  start(action: Action, changed?: Changed): Run;
  remove(): Promise<void>;
}

/** What a fault puts in the place of the real thing. */
export interface Changed {
  readonly store?: string;
  readonly databaseUrl?: string;
  /** A module that node loads before the program. */
  readonly preload?: string;
  /** More of the command line. */
  readonly words?: readonly string[];
}

export interface SitePlan {
  readonly server: TestPostgres;
  readonly rgw: Rgw | undefined;
  /** Of this site alone. */
  readonly folder: string;
  readonly store: StoreFiles;
  readonly disk?: Disk | undefined;
}

/** Describes a place whose store is already filled. */
export async function makeSite({ server, rgw, folder, store, disk }: SitePlan): Promise<Site> {
  const scratchDir = join(disk?.path ?? folder, 'scratch');
  const databaseUrl = server.urlOf('shop');
  mkdirSync(folder, { recursive: true });
  const start = (action: Action, changed: Changed = {}) => {
    const given = ['--source', SOURCE, '--store', changed.store ?? store.url, '--stall-timeout', '4s'];
    const env = {
      ...keysOf(rgw),
      ...(action === 'backup' && { LIFEBOAT_DATABASE_URL: changed.databaseUrl ?? databaseUrl }),
    };
    return startProgram({
      words: [action, ...given, ...ownWords(action, scratchDir), ...(changed.words ?? [])],
      env,
      preload: changed.preload,
    });
  };
  const remove = async () => {
    await store.clear();
    disk?.remove();
    rmSync(folder, { recursive: true, force: true });
  };
  const before = await manifestsOf(store);
  return { server, scratchDir, store, databaseUrl, before, s3Endpoint: rgw?.endpoint, disk, start, remove };
}

function ownWords(action: Action, scratchDir: string): string[] {
  return {
    backup: ['--table-lock-timeout', '1s'],
    'restore-drill': ['--scratch-dir', scratchDir],
    'verify-freshness': ['--read-data', 'newest', '--min-free-space', '0%'],
    prune: ['--keep-last', '1', '--require-proven', 'false'],
  }[action];
}

export function keysOf(rgw: Rgw | undefined): Record<string, string> {
  if (rgw === undefined) return {};
  return { AWS_ACCESS_KEY_ID: rgw.accessKeyId, AWS_SECRET_ACCESS_KEY: rgw.secretAccessKey };
}

/** Id to manifest of every backup that a store says it has. */
export async function manifestsOf(store: StoreFiles): Promise<Map<string, string>> {
  const manifests = new Map<string, string>();
  for (const key of await store.keys()) {
    const id = new RegExp(`^${SOURCE}/([^/]+)/manifest\\.json$`).exec(key)?.[1];
    if (id !== undefined) manifests.set(id, (await store.read(key)).toString());
  }
  return manifests;
}
