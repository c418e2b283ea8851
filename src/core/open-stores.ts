import { Failure } from './failure.ts';
import type { Store, World } from './ports.ts';
import { type Finding, finding } from './report.ts';

export interface OpenedStores {
  /** In the order given, each once. */
  readonly stores: readonly Store[];
  /** One `unknown` finding for each store that could not be opened. */
  readonly findings: readonly Finding[];
}

/**
 * Lends the stores of these URLs and closes them when `use` settles. One that cannot be reached
 * becomes a finding, since the others can still be judged; a URL that is wrong is refused at once.
 */
export async function withStores<T>(
  world: Pick<World, 'openStore'>,
  urls: readonly string[],
  use: (opened: OpenedStores) => Promise<T>,
): Promise<T> {
  if (urls.length === 0) throw new Failure('invalid-input', '`store` is empty.', { hint: 'Give one URL a line.' });
  const stores: Store[] = [];
  const findings: Finding[] = [];
  try {
    for (const url of new Set(urls)) {
      try {
        const store = await world.openStore(url);
        // Two URLs of one place are one copy, not two.
        if (stores.some(({ location }) => location === store.location)) await store.close();
        else stores.push(store);
      } catch (error) {
        findings.push(notReadable(url.replace(/\?.*$/, ''), error));
      }
    }
    return await use({ stores, findings });
  } finally {
    // Nothing is written through these any more: a connection that does not end well changes no result.
    await Promise.allSettled(stores.map((store) => store.close()));
  }
}

/** Failures that end the run instead of leaving one store unjudged. */
const fatal = new Set<string>(['invalid-input', 'guard-refused', 'cancelled', 'timed-out']);

/** What could not be looked at is `unknown`; anything that is no failure of the store is thrown on. */
export function notReadable(location: string, error: unknown, what = 'this store'): Finding {
  if (!(error instanceof Failure) || fatal.has(error.code)) throw error;
  return finding('store-readable', 'unknown', `${what} could not be judged. ${error.message}`, {
    subject: location,
    ...(error.hint !== undefined && { hint: error.hint }),
  });
}
