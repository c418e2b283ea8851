import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const SUBJECT = join(import.meta.dirname, '../../src/sys/young-generation.ts');

/** Bytes of the young generation after as many objects as a large store has have stayed. */
function youngBytes(first: string): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { keepYoungGenerationSmall } from ${JSON.stringify(SUBJECT)};
    ${first}
    const kept = [];
    for (let at = 0; at < 1_000_000; at++) kept.push({ at, of: [at] });
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    console.log(young.space_size, kept.length);
  `;
  return Number.parseInt(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
    10,
  );
}

it('keeps the young generation of the heap from growing', () => {
  const small = youngBytes('keepYoungGenerationSmall();');
  expect(small).toBeGreaterThan(0);
  expect(small).toBeLessThan(youngBytes('') / 4);
});
