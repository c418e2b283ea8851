import { expect, it } from 'vitest';
import { githubLog, terminalLog } from '../../src/github/log.ts';
import { captureStdout } from './captured-stdout.ts';

it('writes what databases say as plain lines, and warnings and groups as commands', async () => {
  const { toolkit, lines } = await captureStdout();
  const log = githubLog(toolkit, { debug: false, redact: (text) => text.replaceAll('hunter2', '***') });
  await log.group('Dump\n::error::x', async () => {
    log.info('NOTICE: ok\n::set-output name=verdict::pass');
    log.debug('not wanted');
  });
  log.warning('password hunter2 100%\nsecond');
  expect(lines()).toEqual([
    '::group::Dump%0A::error::x',
    'NOTICE: ok',
    '| ::set-output name=verdict::pass',
    '::endgroup::',
    '::warning::password *** 100%25%0Asecond',
    '',
  ]);
});

it('ends the group when what was folded fails', async () => {
  const { toolkit, lines } = await captureStdout();
  const log = githubLog(toolkit, { debug: true, redact: (text) => text });
  await expect(log.group('Dump', () => Promise.reject(new Error('broke off')))).rejects.toThrow('broke off');
  expect(lines()).toContain('::endgroup::');
});

it('prints no command on a terminal, and spells out control characters', () => {
  const written: string[] = [];
  const log = terminalLog((text) => void written.push(text), { debug: true, redact: (text) => text });
  log.info('\u001b[2Jname');
  log.warning('late');
  log.debug('argv');
  expect(written).toEqual(['\\x1b[2Jname\n', 'warning: late\n', 'debug: argv\n']);
});
