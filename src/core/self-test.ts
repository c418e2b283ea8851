import { compareFacts } from './compare-facts.ts';
import type { DrillOutcome, DrillPlan } from './drill.ts';
import { chooseCopies } from './drill-copies.ts';
import { fetchCopy } from './drill-fetch.ts';
import { judgeTotals } from './drill-totals.ts';
import type { World } from './ports.ts';
import { type Finding, finding, type Table } from './report.ts';
import { artifactTrials } from './self-test-artifacts.ts';
import { manifestTrials } from './self-test-manifest.ts';
import { describeTrials, tabulateTrials } from './self-test-report.ts';
import { notKnown, type Trial } from './self-test-trial.ts';
import { withTicker } from './ticker.ts';

/** The parts of a drill that a self-test puts to the test; a test of the self-test gives blind ones. */
export interface Examiners {
  readonly fetch: typeof fetchCopy;
  readonly choose: typeof chooseCopies;
  readonly totals: typeof judgeTotals;
  readonly compare: typeof compareFacts;
}

export const examiners: Examiners = {
  fetch: fetchCopy,
  choose: chooseCopies,
  totals: judgeTotals,
  compare: compareFacts,
};

export interface SelfTest {
  readonly plan: Pick<DrillPlan, 'copies' | 'identity'>;
  readonly outcome: Pick<DrillOutcome, 'expected' | 'found' | 'given' | 'tampered'>;
  readonly examiners: Examiners;
  readonly world: World;
}

/**
 * Damages what is read of the chosen copy, one damage at a time, and runs the part of the drill that
 * must find it; then judges these trials and those that were made in the scratch database.
 *
 * @throws when the run was cancelled; any other error makes what could not be tried `unknown`
 */
export async function selfTest(test: SelfTest): Promise<{ findings: Finding[]; tables: Table[] }> {
  test.world.log.info('Self-test: damaging what is read of the stored copy, one damage at a time.');
  const trials: Trial[] = [
    ...(await collect('damages to the artifacts', artifactTrials(test), test.world)),
    ...(await collect('damages to the manifest', manifestTrials(test), test.world)),
    ...test.outcome.tampered,
  ];
  return { findings: describeTrials(trials, test.outcome.expected?.level), tables: [tabulateTrials(trials)] };
}

/** Said when the drill proved nothing, so that there is nothing whose damage could be told from it. */
export function skippedSelfTest(): Finding {
  return finding('self-test', 'unknown', 'The self-test was not run: the drill did not prove the backup.', {
    hint: 'Look at what the drill found; a self-test shows something only where the undamaged copy passes.',
  });
}

/** What could not be tried any more is one trial whose result is not known: it never ends the drill. */
export async function collect(what: string, trials: AsyncIterable<Trial>, world: World): Promise<Trial[]> {
  const done: Trial[] = [];
  await withTicker(
    world,
    () => `${what}: ${done.length} tried`,
    () => tryAll(what, trials, done, world),
  );
  return done;
}

async function tryAll(
  what: string,
  trials: AsyncIterable<Trial>,
  done: Trial[],
  { signal, log }: World,
): Promise<void> {
  try {
    for await (const trial of trials) {
      signal.throwIfAborted();
      log.debug(`Self-test: ${trial.damage}: ${trial.result}`);
      done.push(trial);
    }
  } catch (error) {
    signal.throwIfAborted();
    // Not thrown on, whatever it is: the proof that the drill has found must reach its record.
    if (error instanceof Error) log.debug(error.stack ?? error.message);
    done.push(notKnown(`${what}, those that were left`, '–', error));
  }
}
