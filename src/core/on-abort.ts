type Acts = ((() => void) | undefined)[];

const waiting = new WeakMap<AbortSignal, Acts>();

/**
 * Calls `act` when the signal aborts; what is returned ends that.
 *
 * One listener for each signal and a place in an array for whoever waits: a listener that was removed, and a
 * table that a Set has outgrown, still point to what came after them, and keep it until a full collection.
 * With thousands of calls that is most of the memory (measured).
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  const acts = waiting.get(signal) ?? watch(signal);
  const free = acts.indexOf(undefined);
  const place = free === -1 ? acts.length : free;
  acts[place] = act;
  return () => {
    if (acts[place] === act) acts[place] = undefined;
  };
}

function watch(signal: AbortSignal): Acts {
  const acts: Acts = [];
  waiting.set(signal, acts);
  const actAll = () => {
    for (const act of acts.splice(0)) act?.();
  };
  signal.addEventListener('abort', actAll, { once: true });
  return acts;
}
