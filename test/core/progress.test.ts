import { expect, it } from 'vitest';
import { addSample, drawProgress, type ProgressSample, rateOf, withProgress } from '../../src/core/progress.ts';

const MIB = 2 ** 20;
const samples = (...given: [number, number][]): ProgressSample[] =>
  given.map(([atMs, mib]) => ({ atMs, doneBytes: mib * MIB }));

it('draws share, bytes, rate and time left', () => {
  const seen = samples([0, 0], [5_000, 500]);
  expect(drawProgress({ doing: 'restoring', doneBytes: 500 * MIB, totalBytes: 2_000 * MIB }, seen, 120)).toBe(
    'restoring [######------------------] 25 %, 500 MiB of 1.95 GiB, 100 MiB/s, 15 s left',
  );
});

it('says of an estimate that it is one, and never that it is done', () => {
  const seen = samples([0, 0], [5_000, 500]);
  const line = drawProgress(
    { doing: 'dump', doneBytes: 900 * MIB, totalBytes: 500 * MIB, isEstimate: true },
    seen,
    120,
  );
  expect(line).toBe('dump [########################] 99 %, 900 MiB of about 500 MiB, 100 MiB/s');
});

it('draws no bar where there is no total, or no room', () => {
  expect(drawProgress({ doing: 'reading', doneBytes: 5 * MIB, totalBytes: undefined }, [], 80)).toBe('reading: 5 MiB');
  expect(drawProgress({ doing: 'comparing', doneBytes: 0, totalBytes: undefined }, [], 80)).toBe('comparing: ...');
  const narrow = drawProgress({ doing: 'restoring', doneBytes: 1, totalBytes: 2 }, [], 30);
  expect(narrow).toBe('restoring 50 %, 1 B of 2 B');
  expect(drawProgress({ doing: 'x'.repeat(90), doneBytes: 1, totalBytes: 2 }, [], 50)).toHaveLength(50);
});

it('takes the rate over the last ten seconds, and anew where something else begins', () => {
  let seen: ProgressSample[] = [];
  for (const one of samples([0, 0], [10_000, 10], [20_000, 110])) seen = addSample(seen, one);
  expect(rateOf(seen)).toBe(10 * MIB);
  expect(rateOf(samples([0, 0], [500, 9]))).toBeUndefined();
  expect(addSample(seen, { atMs: 21_000, doneBytes: 0 })).toHaveLength(1);
});

it('shows a bar where there is one, and takes it away whatever becomes of the work', async () => {
  const shown: string[] = [];
  const log = {
    info: (line: string) => void shown.push(line),
    warning() {},
    debug() {},
    group: async <T>(_: string, use: () => Promise<T>) => use(),
    progress: () => {
      shown.push('shown');
      return () => void shown.push('hidden');
    },
  };
  const look = () => ({ doing: 'x', doneBytes: 0, totalBytes: 1 });
  const sleep = (_: number, until?: AbortSignal) =>
    new Promise<void>((resolve) => until?.addEventListener('abort', () => resolve(), { once: true }));
  await expect(withProgress({ log, sleep }, look, () => Promise.reject(new Error('broke')))).rejects.toThrow('broke');
  expect(shown).toEqual(['shown', 'hidden']);
});
