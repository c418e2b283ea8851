// `npm run soak`: every fault, at seeded moments, each followed by a check of all that must hold. The same seed
// tries the same moments again; how far the program has come by then depends on the machine.
//
//   npm run soak -- [--seed N] [--rounds N, or 0.2 for a fifth of the moments] [--only 'part of a name, or a pattern']
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missingPrograms, startRgw, stopRgw } from '../servers/rgw.ts';
import { whyNoDisk } from './disk.ts';
import { everyFault } from './every-fault.ts';
import { type Fault, judgeMoments, type Trial, tryUntilHit } from './fault.ts';
import { prepareGround } from './ground.ts';
import { tabulate } from './table.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const [seed, rounds] = [Number(values.seed), Number(values.rounds)];
/** Turns that a fault has in each of its moments to come in time. */
const TURNS = 5;
const LINGER_MS = 10_000;
const only = new RegExp(values.only, 'i');

let isStopped = false;
// The servers outlive this process unless it ends them: the fault under way is finished first.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    isStopped = true;
  });
}

const missing = missingPrograms();
if (missing.length > 0) console.log(`Skipped, all that needs S3: ${missing.join(', ')} not found.`);
const noDisk = whyNoDisk();
if (noDisk !== undefined) console.log(`Skipped, all that needs a small disk: ${noDisk}`);
const rgw = missing.length === 0 ? await startRgw(mkdtempSync(join(tmpdir(), 'lifeboat-rgw-'))) : undefined;
const ground = await prepareGround(rgw).catch(async (error: unknown) => {
  if (rgw !== undefined) await stopRgw(rgw.dir);
  throw error;
});
const trials: Trial[] = [];
const untouched: string[] = [];
try {
  for (const fault of everyFault.filter(isWanted)) await tryAll(fault);
} finally {
  await ground.stop();
  if (rgw !== undefined) await stopRgw(rgw.dir);
}
console.log(`\nSeed ${seed}, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.\n\n${tabulate(trials)}`);
for (const line of untouched) console.log(line);
process.exitCode = untouched.length > 0 || trials.some(({ problems }) => problems.length > 0) ? 1 : 0;
// Something that a fault left running must not keep a soak that is over, and is named.
setTimeout(() => {
  console.log(`Still running at the end: ${process.getActiveResourcesInfo().join(', ')}.`);
  process.exit();
}, LINGER_MS).unref();

function isWanted({ group, name, action, store, mounts = false }: Fault): boolean {
  if (store === 's3' && rgw === undefined) return false;
  if ((store === 'disk' || mounts) && noDisk !== undefined) return false;
  return only.test(`${group}: ${name} (${action})`);
}

async function tryAll(fault: Fault): Promise<void> {
  const own: Trial[] = [];
  for (let round = 1; round <= Math.ceil(fault.moments * rounds) && !isStopped; round += 1) {
    own.push(...(await tryUntilHit(ground, fault, seed, { round, most: TURNS }, tell)));
  }
  trials.push(...own);
  if (isStopped) return;
  untouched.push(...judgeMoments(fault, own).map((what) => `LOST ${nameOf(fault)}: ${what}`));
}

function nameOf({ group, name, action }: Fault): string {
  return `${group}: ${name} (${action})`;
}

function tell({ fault, round, outcome, hit, seconds, problems, ended }: Trial): void {
  const how = `${hit ? '' : 'too late, '}${outcome}, ${seconds.toFixed(1)} s`;
  console.log(`${problems.length === 0 ? 'ok  ' : 'LOST'} ${nameOf(fault)} #${round}: ${how}`);
  for (const problem of problems) console.log(`       ${problem}`);
  if (problems.length > 0 && process.env.LIFEBOAT_TEST_PRINT === '1') console.log(ended.log);
}
