import { Failure } from './failure.ts';
import type { PutOptions, Store, World } from './ports.ts';

/** A store without a sign of life for this long is dropped; the others keep their copy. */
export const STORE_STALL_MS = 60_000;

export function stalledStore({ location }: Pick<Store, 'location'>): Failure {
  const seconds = STORE_STALL_MS / 1000;
  return new Failure('stalled', `${location} gave no sign of life for ${seconds} s and was dropped.`, {
    hint: 'Check the network to this store, or its disk. The next backup tries it again.',
  });
}

export function isStalled(error: unknown): boolean {
  return error instanceof Failure && error.code === 'stalled';
}

/**
 * Waits for one call of a store until a minute passes without a sign of life. The call is told by its
 * signal then, and goes on unheard: one that hangs in the kernel cannot be ended.
 *
 * @throws {Failure} `stalled`, or what the call rejects with
 */
export async function unlessStalled<T>(
  store: Pick<Store, 'location'>,
  sleep: World['sleep'],
  call: (life: Required<Pick<PutOptions, 'signal' | 'onBytes'>>) => Promise<T>,
): Promise<T> {
  const [over, given] = [new AbortController(), new AbortController()];
  let signs = 0;
  const onBytes = () => {
    signs += 1;
  };
  const watch = async (): Promise<never> => {
    for (let before = -1; signs !== before; ) {
      before = signs;
      await sleep(STORE_STALL_MS, over.signal);
    }
    throw stalledStore(store);
  };
  const watching = watch();
  watching.catch((error: unknown) => given.abort(error));
  try {
    return await Promise.race([call({ signal: given.signal, onBytes }), watching]);
  } finally {
    over.abort();
  }
}
