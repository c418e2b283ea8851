import { expect, it } from 'vitest';
import { terminalLog } from '../../src/github/log.ts';
import { ProgressBar } from '../../src/github/progress-bar.ts';

/** What stands on the lines of a terminal after all that was written to it. */
function screenOf(written: readonly string[]): string[] {
  const lines = [''];
  const text = written.join('').replaceAll('\r\u001b[K', '\r');
  for (const part of text.split(/([\r\n])/)) {
    if (part === '\r') lines[lines.length - 1] = '';
    else if (part === '\n') lines.push('');
    else lines[lines.length - 1] += part;
  }
  return lines;
}

function terminal() {
  const written: string[] = [];
  const redact = (text: string) => text.replaceAll('hunter2', '***');
  const write = (text: string) => void written.push(text);
  const bar = new ProgressBar({ write, columns: () => 70, nowMs: () => 0, redact });
  return { written, bar, log: terminalLog(write, { debug: false, redact, bar }) };
}

const half = () => ({ doing: 'restoring hunter2\u001b[2J', doneBytes: 1, totalBytes: 2 });

it('keeps lines of the log and the bar apart, and leaves nothing of it behind', () => {
  const { written, bar, log } = terminal();
  log.info('before');
  const hide = log.progress?.(half);
  bar.draw();
  log.info('between');
  log.warning('of hunter2');
  expect(screenOf(written)).toEqual([
    'before',
    'between',
    'warning: of ***',
    expect.stringMatching(/^restoring \*\*\*\\x1b\[2J \[#/),
  ]);
  hide?.();
  log.info('after');
  expect(screenOf(written)).toEqual(['before', 'between', 'warning: of ***', 'after', '']);
});

it('draws what came last, and what was there before when that is over', () => {
  const { written, bar, log } = terminal();
  const hideOuter = log.progress?.(() => ({ doing: 'outer', doneBytes: 1, totalBytes: 2 }));
  const hideInner = log.progress?.(() => ({ doing: 'inner', doneBytes: 1, totalBytes: 2 }));
  bar.draw();
  expect(screenOf(written).at(-1)).toMatch(/^inner/);
  hideInner?.();
  bar.draw();
  expect(screenOf(written).at(-1)).toMatch(/^outer/);
  bar.end();
  bar.draw();
  expect(screenOf(written)).toEqual(['']);
  hideOuter?.();
});

it('has no bar in a log that is kept', () => {
  expect(terminalLog(() => {}, { debug: false, redact: String }).progress).toBeUndefined();
});
