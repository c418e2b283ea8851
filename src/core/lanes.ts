/**
 * Runs `work` for every item, some at a time, in the order given. After a rejection nothing more is
 * begun; what is under way ends first, and the first rejection is thrown.
 */
export async function inLanes<T>(items: readonly T[], lanes: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  let failed: { error: unknown } | undefined;
  const lane = async () => {
    for (const item of queue) {
      if (failed !== undefined) return;
      await work(item).catch((error: unknown) => {
        failed ??= { error };
      });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failed !== undefined) throw failed.error;
}

/** What `work` made of every item, in the order of the items. Otherwise as `inLanes`. */
export async function mapInLanes<T, R>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const made: R[] = new Array(items.length);
  await inLanes([...items.entries()], lanes, async ([at, item]) => {
    made[at] = await work(item);
  });
  return made;
}
