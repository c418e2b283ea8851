import { expect, it } from 'vitest';
import { z } from 'zod';
import { readInputs } from '../../src/github/environment.ts';
import { text } from '../../src/github/inputs.ts';

const own = z.strictObject({
  store: text('Where.', { env: true }),
  'age-identity': text('Key.', { env: true, secret: true }).optional(),
  confirm: text('Guard.').optional(),
  facts: text('Facts.').optional(),
});
const other = z.strictObject({ 'bin-dir': text('Folder.', { env: true }).optional() });
const all = [own, other];

it('takes the step first, then the environment, and leaves the rest to defaults', () => {
  const env = { 'INPUT_AGE-IDENTITY': 'A', INPUT_STORE: '', LIFEBOAT_STORE: 'file:///b', LIFEBOAT_AGE_IDENTITY: 'B' };
  expect(readInputs(env, own, all)).toEqual({ 'age-identity': 'A', store: 'file:///b' });
});

it('lets `none` in the step switch off what the environment set', () => {
  const env = { 'INPUT_AGE-IDENTITY': 'none', LIFEBOAT_AGE_IDENTITY: 'B' };
  expect(readInputs(env, own, all)).toEqual({});
});

it('leaves `none` alone where it is a value of its own', () => {
  expect(readInputs({ INPUT_FACTS: 'none' }, own, all)).toEqual({ facts: 'none' });
});

it('takes no guard from the environment', () => {
  expect(() => readInputs({ LIFEBOAT_CONFIRM: 'shop' }, own, all)).toThrow(/LIFEBOAT_CONFIRM .* is no variable/);
});

it('refuses a variable that nothing reads and names those there are', () => {
  expect(() => readInputs({ LIFEBOAT_STOER: 'x' }, own, all)).toThrow(
    expect.objectContaining({
      hint: expect.stringContaining('LIFEBOAT_AGE_IDENTITY, LIFEBOAT_BIN_DIR, LIFEBOAT_STORE'),
    }),
  );
});

it('is not disturbed by variables of other actions, of the tests, or of others', () => {
  const env = { LIFEBOAT_BIN_DIR: '/opt', LIFEBOAT_TEST_REQUIRE_ALL: '1', INPUTS: 'x', PATH: '/bin' };
  expect(readInputs(env, own, all)).toEqual({});
});

it('passes on an input nobody declared, so that parsing can refuse it', () => {
  expect(readInputs({ INPUT_KEPP: '3' }, own, all)).toEqual({ kepp: '3' });
});
