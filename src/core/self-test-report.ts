import type { FactsLevel } from './facts.ts';
import { type Finding, finding, type Table } from './report.ts';
import type { Trial } from './self-test-trial.ts';

/** A finding for each damage that was missed or could not be tried, one with numbers, one of what is not covered. */
export function describeTrials(trials: readonly Trial[], level: FactsLevel | undefined): Finding[] {
  const missed = trials.filter(({ result }) => result === 'missed').map(describeMissed);
  const open = trials.filter(({ result }) => result === 'not known').map(describeOpen);
  const uncovered = trials.filter(({ result }) => result === 'not covered');
  return [
    ...missed,
    ...open,
    ...(missed.length === 0 && open.length === 0 ? [describePass(trials)] : []),
    ...describeUncovered(uncovered, level),
  ];
}

function describeMissed({ damage, expected, foundBy }: Trial): Finding {
  const message = `A damage was overlooked: ${damage}. Expected: ${expected}; found by: ${foundBy}.`;
  return finding('self-test', 'fail', message, {
    hint: 'This drill cannot be relied on to find such damage. Report it with the table of the self-test.',
  });
}

function describeOpen({ damage, why = '' }: Trial): Finding {
  return finding('self-test', 'unknown', `A damage could not be tried: ${damage}. ${why}`.trim());
}

function describePass(trials: readonly Trial[]): Finding {
  const numbers = {
    damages: trials.length,
    found: trials.filter(({ result }) => result === 'found').length,
    notCovered: trials.filter(({ result }) => result === 'not covered').length,
  };
  const message = `${numbers.found} damages were done one at a time, and each was found and named.`;
  return finding('self-test', numbers.found === 0 ? 'unknown' : 'pass', message, { numbers });
}

/** A warning where the user can have more covered; what the database has none of is only listed. */
function describeUncovered(trials: readonly Trial[], level: FactsLevel | undefined): Finding[] {
  const byLevel = trials.filter((trial) => trial.byLevel === true);
  const absent = trials.filter((trial) => trial.byLevel !== true);
  return [
    ...(byLevel.length === 0 ? [] : [describeBlind(byLevel, level)]),
    ...(absent.length === 0 ? [] : [describeAbsent(absent)]),
  ];
}

function describeBlind(trials: readonly Trial[], level: FactsLevel | undefined): Finding {
  const listed = trials.map(({ damage, why }) => `${damage} (${why})`).join('; ');
  const message = `Not covered, and so not shown to be found: ${listed}.`;
  return finding('self-test', 'warn', message, {
    numbers: { notCovered: trials.length },
    hint: `This backup was made with \`facts: ${level}\`. Back up with \`facts: fingerprints\` to have changed values found, too.`,
  });
}

function describeAbsent(trials: readonly Trial[]): Finding {
  const listed = trials.map(({ damage, why }) => `${damage} (${why})`).join('; ');
  const message = `Not covered by this self-test, whatever facts the backup has: ${listed}.`;
  return finding('self-test', 'pass', message, { numbers: { notCovered: trials.length } });
}

export function tabulateTrials(trials: readonly Trial[]): Table {
  const columns = ['Damage', 'Expected', 'Found by', 'Result', 'Path'].map((name) => ({ name }));
  const rows = trials.map(({ damage, expected, foundBy, result, why, path }) => [
    damage,
    expected,
    foundBy,
    why === undefined ? result : `${result}: ${why}`,
    path,
  ]);
  return {
    title: 'Self-test',
    columns,
    rows,
    folded: trials.every(({ result }) => /^(found|not covered)$/.test(result)),
  };
}
