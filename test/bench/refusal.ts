import { join } from 'node:path';
import { measure, medianOf, printTimes } from './contender.ts';
import type { Bench } from './main.ts';

const ROUNDS = 15;
const NOTHING = 'node -e 0';
const REFUSING = 'an action that refuses its inputs';

/** What it costs to start: a step whose inputs are refused, against a node that does nothing. */
export async function benchRefusal({ folder }: Bench): Promise<void> {
  const step = { INPUT_SOURCE: 'Not A Name', GITHUB_WORKSPACE: folder, RUNNER_TEMP: folder };
  const measured = await measure(
    [
      { name: NOTHING, node: ['-e', '0'] },
      { name: REFUSING, node: [join(import.meta.dirname, '../../dist/backup.js')], env: step, exits: 1 },
    ],
    ROUNDS,
    {},
  );
  printTimes('Starting', measured);
  const more = medianOf(measured, REFUSING) - medianOf(measured, NOTHING);
  console.log(`\n${REFUSING}: ${more.toFixed(2)} s more than ${NOTHING}; to reach: ≤ 0.25 s.`);
}
