import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const SUBJECT = join(import.meta.dirname, '../../src/sys/small-heap.ts');

/** What a program of its own prints that calls this first. */
function run(first: string, script: string): number {
  const whole = `
    import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
    import { keepHeapSmall } from ${JSON.stringify(SUBJECT)};
    const sizeOf = (name) => getHeapSpaceStatistics().find((space) => space.space_name === name).space_size;
    ${first}
    ${script}
  `;
  const args = ['--expose-gc', '--input-type=module', '-e', whole];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

it('keeps the young generation from growing when as many objects as a large store has stay', () => {
  const script = `
    const kept = [];
    for (let at = 0; at < 1_000_000; at++) kept.push({ at, of: [at] });
    console.log(kept.length > 0 && sizeOf('new_space'));
  `;
  const small = run('keepHeapSmall();', script);
  expect(small).toBeGreaterThan(0);
  expect(small).toBeLessThan(run('', script) / 4);
});

it('keeps garbage that has grown old from taking as much room as what is alive', () => {
  // Growth is limited from the first full collection on.
  const script = `
    const kept = Array.from({ length: 400_000 }, (_, at) => ({ at, of: [at] }));
    gc();
    const ring = [];
    let most = 0;
    for (let round = 0; round < 100; round++) {
      ring[round % 8] = Array.from({ length: 20_000 }, (_, at) => ({ at, of: [at] }));
      most = Math.max(most, kept.length > 0 && sizeOf('old_space'));
    }
    console.log(most);
  `;
  const small = run('keepHeapSmall();', script);
  expect(small).toBeGreaterThan(0);
  // Against the first of the two flags alone: what is measured is the second.
  expect(small).toBeLessThan(run(`setFlagsFromString('--semi-space-growth-factor=1');`, script) * 0.7);
});
