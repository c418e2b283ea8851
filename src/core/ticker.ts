import type { World } from './ports.ts';

const EVERY_MS = 10_000;

/** Does `work`, and logs every ten seconds what `describe` says of it, so that nobody takes it for hung. */
export async function withTicker<T>(
  { sleep, log }: Pick<World, 'sleep'> & { readonly log: Pick<World['log'], 'info'> },
  describe: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const tick = async () => {
    for (;;) {
      await sleep(EVERY_MS, stop.signal);
      if (stop.signal.aborted) return;
      log.info(describe());
    }
  };
  const ticking = tick();
  try {
    return await work();
  } finally {
    stop.abort();
    await ticking;
  }
}
