import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { missingPrograms, type Rgw, startRgw, stopRgw } from '../servers/rgw.ts';
import { whyNoRgw } from '../servers/rgw-for-tests.ts';
import { whyNoDisk } from './disk.ts';
import { everyFault } from './every-fault.ts';
import { type Fault, tryUntilHit } from './fault.ts';
import { type Ground, prepareGround } from './ground.ts';

/** A small selection, one moment each, for every run of the tests; `npm run soak` tries them all. */
const SELECTED = [
  'S3: completing answers 200 with an error, yet done (backup)',
  'S3: credentials expire (backup)',
  'S3: credentials expire between two deletions (prune)',
  'PostgreSQL: the backend of the snapshot is terminated (backup)',
  'Restore: during a restore the statement is cancelled (restore-drill)',
  'Disk: the disk of the store gets full (backup)',
  'Kill: kill -9 of node (backup)',
  'Kill: kill -9 of pg_restore (restore-drill)',
  'Signal: SIGTERM (backup)',
  'DDL: TRUNCATE, again and again (backup)',
];
const SEED = 7;
/** In which it must come in time. */
const TURNS = 3;

const noRgw = whyNoRgw();
const noDisk = whyNoDisk();
if (noDisk !== undefined) {
  if (process.env.LIFEBOAT_TEST_REQUIRE_ALL === '1') throw new Error(noDisk);
  console.warn(`Skipped, needs ${noDisk}`);
}

let rgw: Rgw | undefined;
let ground: Ground;

beforeAll(async () => {
  // Its own, since a bucket of this name may be there in another one.
  if (missingPrograms().length === 0) rgw = await startRgw(mkdtempSync(join(tmpdir(), 'lifeboat-rgw-')));
  ground = await prepareGround(rgw);
});

afterAll(async () => {
  await ground?.stop();
  if (rgw !== undefined) await stopRgw(rgw.dir);
});

const nameOf = ({ group, name, action }: Fault) => `${group}: ${name} (${action})`;

it('selects faults that there are', () => {
  expect(SELECTED.filter((name) => !everyFault.some((fault) => nameOf(fault) === name))).toEqual([]);
});

for (const fault of everyFault.filter((one) => SELECTED.includes(nameOf(one)))) {
  const needsDisk = fault.store === 'disk' || fault.mounts === true;
  const isSkipped = (fault.store === 's3' && noRgw !== undefined) || (needsDisk && noDisk !== undefined);
  it.skipIf(isSkipped)(`survives: ${nameOf(fault)}`, { timeout: 180_000 }, async () => {
    const trials = await tryUntilHit(ground, fault, SEED, { round: 1, most: TURNS });
    for (const { problems, ended } of trials) expect(problems, ended.log).toEqual([]);
    expect(trials.at(-1)?.hit).toBe(true);
  });
}
