import { expect, it } from 'vitest';
import { judgeMoments, type Trial } from './fault.ts';

function trial(outcome: Trial['outcome'], hit = true): Trial {
  const ended = { code: 0, signal: null, seconds: 1, hung: false, log: '', report: undefined };
  const fault = {
    group: 'Kill',
    name: 'kill',
    action: 'backup',
    store: 'file',
    expected: 'either',
    moments: 1,
  } as const;
  const inject = async () => ({ hit: () => hit });
  return { fault: { ...fault, inject }, round: 1, outcome, hit, seconds: 1, problems: [], ended };
}

it('names a fault that came too late each time', () => {
  const late = trial('went through', false);
  expect(judgeMoments({}, [late, late])).toEqual(['It never happened: 2 times it came too late.']);
  expect(judgeMoments({}, [late, trial('went through')])).toEqual([]);
});

it('names a fault that was to end a run and ended none', () => {
  const through = trial('went through');
  expect(judgeMoments({ endsRed: true }, [through, through])).toEqual([
    'It happened 2 times, and no run was ended by it.',
  ]);
  expect(judgeMoments({ endsRed: true }, [through, trial('was killed')])).toEqual([]);
  expect(judgeMoments({ endsRed: true }, [through, trial('ended red')])).toEqual([]);
});
