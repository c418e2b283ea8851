import { realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { Failure } from '../core/failure.ts';
import type { Store } from '../core/ports.ts';
import { type FilePlace, parseStoreUrl, type S3Place, type StorePlace } from './store-url.ts';

export interface StoreContext {
  readonly env: NodeJS.ProcessEnv;
  /** Folders a `file:` store may not be in: the workspace and RUNNER_TEMP, which the next job empties. */
  readonly forbidden: readonly string[];
  /** Milliseconds without a byte after which a request is given up. */
  readonly stallMs: number;
  readonly now: () => Date;
}

// Imported only when used: the S3 SDK costs 100 ms and 40 MB, and an action that refuses its inputs needs neither.
const stores = {
  file: async (place: FilePlace) => (await import('./local.ts')).localStore(place),
  s3: async (place: S3Place, context: StoreContext) => (await import('./s3.ts')).s3Store(place, context),
};

/**
 * Opens the store a URL names. Nothing is asked of it yet: a bucket that does not exist shows with
 * the first call.
 *
 * @throws {Failure} `invalid-input` as `checkStoreUrl`
 */
export async function openStore(url: string, context: StoreContext): Promise<Store> {
  const place = checked(url, context.forbidden);
  return place.scheme === 'file' ? stores.file(place) : stores.s3(place, context);
}

/**
 * Checks a store's URL without opening anything.
 *
 * @returns its location, safe to print, as `Store.location` will say it
 * @throws {Failure} `invalid-input` with the value (credentials hidden) and what is allowed
 */
export function checkStoreUrl(url: string, forbidden: readonly string[]): string {
  return checked(url, forbidden).location;
}

function checked(url: string, forbidden: readonly string[]): StorePlace {
  const place = parseStoreUrl(url);
  if (place.scheme === 'file') refuseFoldersThatAreEmptied(place, forbidden);
  return place;
}

function refuseFoldersThatAreEmptied(place: FilePlace, forbidden: readonly string[]): void {
  const folder = realPath(place.folder);
  const outer = forbidden.filter((path) => path !== '').find((path) => isInside(folder, realPath(path)));
  if (outer === undefined) return;
  throw new Failure('invalid-input', `The store ${place.location} is inside ${outer}.`, {
    hint: 'The next job empties that folder. Use a folder outside the workspace and RUNNER_TEMP, e.g. `file:///srv/backups`.',
  });
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Symlinks resolved, as far as the path exists; what is to be created below cannot be a link. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Absent or unreadable: the parent decides. The root always resolves.
    return path === dirname(path) ? path : join(realPath(dirname(path)), basename(path));
  }
}
