import type { ComparisonGiven } from './compare-facts.ts';
import type { DrillOutcome } from './drill.ts';
import type { Facts } from './facts.ts';
import type { Scratch, World } from './ports.ts';
import { collect, type Examiners } from './self-test.ts';
import { judgeTrial, notCovered, notKnown, type Tampering, type Trial } from './self-test-trial.ts';

const PATH = 'scratch database';

/**
 * Lets the engine damage the restored database in one way after the other and compares what is read
 * of it with the facts of the backup. At the end the facts are read once more, all of them: the
 * database must be what it was, or a damage was judged on top of another one.
 */
export async function tamperScratch(
  scratch: Pick<Scratch, 'tamper' | 'readFacts'>,
  { expected, found, given }: Pick<DrillOutcome, 'expected' | 'found' | 'given'>,
  { compare }: Pick<Examiners, 'compare'>,
  world: World,
): Promise<Trial[]> {
  if (expected === undefined || found === undefined || given === undefined) return [];
  world.log.info('Self-test: damaging the restored database, one damage at a time.');
  const judge = (one: Tampering) => judgeTampering(one, { expected, given, compare });
  const tampered = async function* () {
    for await (const one of scratch.tamper(found)) yield judge(one);
    yield* lookAgain(compare(expected, await scratch.readFacts(expected.level), given));
  };
  return collect('damages to the restored database', tampered(), world);
}

function judgeTampering(
  one: Tampering,
  { expected, given, compare }: { expected: Facts; given: ComparisonGiven; compare: Examiners['compare'] },
): Trial {
  if ('notDone' in one) {
    if (one.notDone === 'failed') return notKnown(one.damage, PATH, one.why);
    return notCovered(one.damage, one.why, { byLevel: one.notDone === 'not-in-facts' });
  }
  if (given.foreignServer === true && one.expect.some(({ rule }) => rule === 'facts-settings')) {
    return notCovered(one.damage, 'on a server that was there before, settings are no more than a warning');
  }
  const trial = { damage: `${one.damage}: ${one.target}`, path: `${PATH}, ${one.path}`, expect: one.expect };
  return judgeTrial(trial, compare(expected, one.found, given));
}

function* lookAgain(findings: ReturnType<Examiners['compare']>): Generator<Trial> {
  const wrong = findings.filter(({ status }) => status === 'fail' || status === 'unknown');
  if (wrong.length === 0) return;
  const why = wrong.map(({ rule, message }) => `${rule}: ${message}`).join(' ');
  yield notKnown('the restored database, after every damage was taken back, is not what it was', PATH, why);
}
