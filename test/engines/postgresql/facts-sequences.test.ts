import { describe, expect, it } from 'vitest';
import { asFacts, mergeSequences, type SequenceReading } from '../../../src/engines/postgresql/facts-sequences.ts';
import { emptyFacts } from '../../core/empty-facts.ts';

function reading(value: string, more: Partial<SequenceReading> = {}): SequenceReading {
  return { name: 'app.s', increment: '1', cycle: false, value, isCalled: true, ...more };
}

function merge(before: readonly SequenceReading[], after: readonly SequenceReading[], during = reading('15')) {
  return mergeSequences({ ...emptyFacts, sequences: asFacts([during]) }, before, after);
}

describe('readings of a sequence before and after the dump', () => {
  it('replace the one the facts were read with', () => {
    const { facts, findings } = merge([reading('10')], [reading('20')]);
    expect(facts.sequences).toEqual([
      {
        name: 'app.s',
        increment: '1',
        cycle: false,
        before: { value: '10', isCalled: true },
        after: { value: '20', isCalled: true },
      },
    ]);
    expect(findings).toEqual([]);
  });

  it.each<[string, SequenceReading[], SequenceReading[], RegExp]>([
    ['was set back', [reading('10')], [reading('9')], /app\.s was set back during the dump, from 10 to 9/],
    [
      'counts down and was set back',
      [reading('-10', { increment: '-1' })],
      [reading('-9', { increment: '-1' })],
      /app\.s was set back/,
    ],
    [
      'was set to its value again, uncalled',
      [reading('10')],
      [reading('10', { isCalled: false })],
      /app\.s was set back/,
    ],
    [
      'started over',
      [reading('9', { cycle: true })],
      [reading('2', { cycle: true })],
      /app\.s started over \(CYCLE\) during the dump, from 9 to 2/,
    ],
    ['was altered', [reading('1')], [reading('2', { increment: '2' })], /app\.s was altered/],
    ['vanished', [reading('1')], [], /app\.s was dropped or renamed/],
    ['appeared', [], [reading('1')], /app\.s was created/],
    [
      'is larger than a number can tell and was set back',
      [reading('9007199254740993')],
      [reading('9007199254740992')],
      /set back/,
    ],
  ])('name one that %s', (_, before, after, words) => {
    const { findings } = merge(before, after);
    expect(findings).toMatchObject([
      { rule: 'sequence-moved', status: 'unknown', message: expect.stringMatching(words), numbers: { sequences: 1 } },
    ]);
  });

  it.each<[string, SequenceReading, SequenceReading]>([
    ['counting down', reading('10', { increment: '-5' }), reading('-10', { increment: '-5' })],
    ['called for the first time', reading('1', { isCalled: false }), reading('1')],
    ['not moved', reading('7'), reading('7')],
    ['cycling but not round', reading('1', { cycle: true }), reading('3', { cycle: true })],
  ])('have nothing to say of one %s', (_, before, after) => {
    expect(merge([before], [after]).findings).toEqual([]);
  });

  it('leave out what cannot be compared, and nothing of a table dropped since', () => {
    expect(merge([reading('1')], []).facts.sequences).toEqual([]);
    expect(merge([reading('1')], [reading('2'), reading('3', { name: 'app.new' })]).facts.sequences).toHaveLength(1);
  });

  it('name twenty and count the rest', () => {
    const many = Array.from({ length: 23 }, (_, i) => reading('5', { name: `app.s${i}` }));
    const facts = { ...emptyFacts, sequences: asFacts(many) };
    const { findings } = mergeSequences(facts, many, []);
    expect(findings[0]?.message).toMatch(/app\.s19 was dropped or renamed during the dump; and 3 more\.$/);
  });
});
