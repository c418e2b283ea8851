import { expect, it } from 'vitest';
import { report } from '../src/core/report.ts';
import { renderText } from '../src/core/report-text.ts';
import { barOn, hasColours, paintVerdicts } from '../src/terminal.ts';

const terminal = { isTTY: true as const, columns: 80, write: () => true };
const file = { ...terminal, isTTY: false as never };

it('colours words on a terminal only, and not where NO_COLOR or a dumb terminal says so', () => {
  expect(hasColours(terminal, { TERM: 'xterm' })).toBe(true);
  expect(hasColours(terminal, { TERM: 'xterm', NO_COLOR: '' })).toBe(true);
  expect(hasColours(terminal, { TERM: 'xterm', NO_COLOR: '1' })).toBe(false);
  expect(hasColours(terminal, { TERM: 'dumb' })).toBe(false);
  expect(hasColours(file, { TERM: 'xterm' })).toBe(false);
});

it('draws a bar on a terminal only, not on a dumb one, and not where CI keeps the log', () => {
  const isDrawn = (stream: typeof terminal, env: Record<string, string>) => barOn(stream, env, String) !== undefined;
  expect(isDrawn(terminal, { TERM: 'xterm' })).toBe(true);
  expect(isDrawn(terminal, { TERM: 'xterm', NO_COLOR: '1' })).toBe(true);
  expect(isDrawn(terminal, { TERM: 'xterm', CI: 'false' })).toBe(true);
  expect(isDrawn(terminal, { TERM: 'xterm', CI: 'true' })).toBe(false);
  expect(isDrawn(terminal, { TERM: 'dumb' })).toBe(false);
  expect(isDrawn(file, { TERM: 'xterm' })).toBe(false);
});

it('colours the verdict and the status of each finding, and no word in a sentence or a table', () => {
  const judged = report('Prune of orders', [
    { rule: 'store-copy', status: 'fail', message: 'warn store-copy: pass', subject: 'file:///a' },
    { rule: 'backup-age', status: 'warn', message: 'late\nfail backup-age: x' },
  ]);
  const table = { title: 'pass', columns: [{ name: 'a' }], rows: [['fail backup-age: x']] };
  const painted = paintVerdicts(renderText({ ...judged, tables: [table] }));
  const words = painted.replaceAll('\u001b[', '<').match(/<1;\d+m\w+<0m/g);
  expect(words).toEqual(['<1;31mFAIL<0m', '<1;31mfail<0m', '<1;33mwarn<0m']);
});
