import { expect, it } from 'vitest';
import { inLanes, mapInLanes } from '../../src/core/lanes.ts';

it('works on so many at a time and no more, and gives what was made in the order of the items', async () => {
  const first = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  const made = await mapInLanes([1, 2, 3, 4, 5], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    // The first one is done last.
    if (item === 1) await first.promise;
    else await Promise.resolve();
    if (item === 5) first.resolve();
    running -= 1;
    return item * 10;
  });
  expect(made).toEqual([10, 20, 30, 40, 50]);
  expect(most).toBe(2);
});

it('begins nothing after a rejection, and throws the first when what is under way has ended', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = inLanes([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('the first');
    await new Promise((resolve) => setImmediate(resolve));
    ended.push(item);
    throw new Error('the second');
  });
  await expect(work).rejects.toThrow('the first');
  expect([begun, ended]).toEqual([[1, 2], [2]]);
});
