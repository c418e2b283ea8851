import { expect, it } from 'vitest';
import { z } from 'zod';
import { common } from '../../src/github/inputs/every-action.ts';
import {
  calendarDuration,
  choice,
  count,
  countOrAll,
  describeInputs,
  duration,
  flag,
  lines,
  parseInputs,
  share,
  shared,
  size,
  text,
  timespan,
} from '../../src/github/inputs.ts';

const schema = z.strictObject({
  source: shared.source,
  tables: lines('Tables, one a line.').prefault(''),
  'max-age': duration('Greatest age.').prefault('26h'),
  'keep-last': countOrAll('How many.').optional(),
  'keep-within': calendarDuration('How long.').optional(),
  'min-size': size('Smallest size.').optional(),
  'max-delete': share('Largest share.', {}, 1).prefault('50%'),
  jobs: count('Streams.').prefault('1'),
  'dry-run': flag('Only show.').prefault('false'),
  facts: choice(['counts', 'none'], 'Facts.').prefault('counts'),
  'age-identity': text('Key.', { secret: true }).optional(),
});

it('applies defaults to what is absent or empty', () => {
  expect(parseInputs(schema, { source: 'orders', 'max-age': '', tables: '' })).toEqual({
    source: 'orders',
    tables: [],
    'max-age': 93_600_000,
    'max-delete': 0.5,
    jobs: 1,
    'dry-run': false,
    facts: 'counts',
  });
});

it('reads every kind of value', () => {
  const given = parseInputs(schema, {
    source: 'orders',
    tables: ' a \r\n\n b\n',
    'keep-last': 'all',
    'keep-within': '1y2mo',
    'min-size': '1KiB',
    'max-delete': '12.5%',
    jobs: '4',
    'dry-run': 'true',
    facts: 'none',
  });
  expect(given).toMatchObject({
    tables: ['a', 'b'],
    'keep-last': Number.POSITIVE_INFINITY,
    'keep-within': { years: 1, months: 2, days: 0, hours: 0 },
    'min-size': 1024,
    'max-delete': 0.125,
    jobs: 4,
    'dry-run': true,
    facts: 'none',
  });
});

it('names every problem at once: input, value, what is allowed', () => {
  const parse = () =>
    parseInputs(schema, {
      'max-age': '26',
      'max-delete': '150%',
      jobs: '-1',
      'dry-run': 'yes',
      facts: 'all',
      kepp: '3',
    });
  expect(parse).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  expect(messageOf(parse).split('\n')).toEqual([
    expect.stringMatching(/^`source` is missing\. Name of the source/),
    expect.stringMatching(/^`max-age` cannot be "26"\. Use weeks, days/),
    '`max-delete` cannot be "150%". Use a share such as `20%`, up to 100%.',
    '`jobs` cannot be "-1". Use a whole number.',
    '`dry-run` cannot be "yes". Use `true` or `false`.',
    '`facts` cannot be "all". Use `counts`, `none`.',
    expect.stringMatching(/^`kepp` is no input here\.( Did you mean `keep`\?)? There are `source`, `tables`/),
  ]);
});

it.each([
  ['0', 'Use `1s` at least.'],
  ['25d', 'Use `24d` at most.'],
  ['2w', undefined],
])('takes only what a timer can wait for, and some time at all: %s', (timeout, refusal) => {
  const parse = () => parseInputs(z.strictObject({ timeout: common.timeout }), { timeout });
  if (refusal === undefined) expect(parse()).toEqual({ timeout: 14 * 86_400_000 });
  else expect(messageOf(parse)).toBe(`\`timeout\` cannot be "${timeout}". ${refusal}`);
});

it('takes an age that no timer could wait for', () => {
  expect(parseInputs(z.strictObject({ age: timespan('Age.', {}, 1) }), { age: '52w' })).toEqual({
    age: 52 * 7 * 86_400_000,
  });
  expect(() => parseInputs(z.strictObject({ age: timespan('Age.', {}, 1) }), { age: '0' })).toThrow(
    'Use `1s` at least',
  );
});

it('never shows the value of a secret, not even a wrong one', () => {
  const secret = z.strictObject({ key: duration('A secret duration.', { secret: true }) });
  expect(messageOf(() => parseInputs(secret, { key: 'hunter2' }))).toMatch(
    /^`key` cannot be \(a secret, not shown\)\. Use weeks/,
  );
});

it('refuses a source name that could leave its folder', () => {
  expect(() => parseInputs(schema, { source: '../x' })).toThrow(/`source` cannot be "..\/x"/);
});

it('describes inputs for the generator: sentence, default, secret, environment', () => {
  const described = describeInputs(z.strictObject({ ...common, ...shared, facts: schema.shape.facts }));
  const byName = Object.fromEntries(described.map((input) => [input.name, input]));
  expect(byName['age-identity']).toMatchObject({ secret: true, env: true, required: true });
  expect(byName['stall-timeout']).toMatchObject({ default: '5m', required: false, env: false });
  expect(byName.timeout).toMatchObject({ default: undefined, required: false, env: true });
  expect(byName.facts).toMatchObject({ values: ['counts', 'none'], default: 'counts' });
  expect(described.every(({ description }) => description.endsWith('.'))).toBe(true);
});

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
}
