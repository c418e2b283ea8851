import { expect, it } from 'vitest';
import { checkReply, problemOf } from './openapi.ts';

const ISSUES = '/repos/acme/operations/issues';
const call = (method: string, path: string, body?: unknown, query = '') => ({
  method,
  path,
  body,
  query: new URLSearchParams(query),
});

it('takes what GitHub describes', () => {
  expect(problemOf(call('GET', ISSUES, undefined, 'labels=a,b&state=open&per_page=100'))).toBeUndefined();
  expect(problemOf(call('POST', ISSUES, { title: 'x', labels: ['a'] }))).toBeUndefined();
  expect(problemOf(call('GET', '/repos/acme/operations/contents/.github/workflows/x.yml'))).toBeUndefined();
});

it.each([
  ['a wrong path', call('GET', '/repos/acme/issues'), 'is no endpoint'],
  ['a wrong method', call('PUT', ISSUES), 'is no endpoint'],
  ['a parameter that is none', call('GET', ISSUES, undefined, 'label=a'), 'there is no parameter label'],
  ['a value that is none', call('GET', ISSUES, undefined, 'state=ended'), 'state=ended'],
  ['a number that is none', call('GET', ISSUES, undefined, 'per_page=many'), 'per_page=many'],
  ['an issue without a title', call('POST', ISSUES, { body: 'x' }), "required property 'title'"],
  ['a field that is none', call('POST', ISSUES, { title: 'x', label: 'a' }), 'must NOT have additional properties'],
  ['a reason that is none', call('PATCH', `${ISSUES}/1`, { state_reason: 'done' }), 'state_reason'],
  ['a number of an issue that is none', call('PATCH', `${ISSUES}/one`, {}), 'issue_number=one'],
  ['a body where none belongs', call('GET', ISSUES, {}), 'takes no body'],
])('refuses %s', (_what, wrong, message) => {
  expect(problemOf(wrong)).toContain(message);
});

it.each([
  [200, [{ number: 1, title: 'x' }], undefined],
  [200, [{ number: 'one' }], 'must be integer'],
  [200, {}, 'must be array'],
  [204, [], 'answers no 204'],
  [410, {}, undefined],
])('answers %i with %j only as GitHub would: %s', (status, body, message) => {
  const check = () => checkReply('GET /repos/{owner}/{repo}/issues', status, body);
  if (message === undefined) expect(check).not.toThrow();
  else expect(check).toThrow(message);
});
