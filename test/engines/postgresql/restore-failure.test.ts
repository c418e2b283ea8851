import { expect, it } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { explainRestore } from '../../../src/engines/postgresql/restore-failure.ts';

/** The code that a restore which ended with these words on stderr is given. */
function codeOf(...lines: string[]): string {
  const error = new Failure('tool-failed', `pg_restore exited with 1: ${lines.join('\n')}`);
  const explained = explainRestore(error, 'database.dump.zst');
  return explained instanceof Failure ? explained.code : 'none';
}

const copying = 'pg_restore: error: COPY failed for table "t": ';
const asking = 'pg_restore: error: could not execute query: ';
const words = [
  'could not extend file "base/1/2": No space left on device',
  'disk full',
  'out of memory',
  'terminating connection due to administrator command',
  'server closed the connection unexpectedly',
  'could not read file "base/1/2": Input/output error',
  'could not connect to server "away"',
  'deadlock detected',
];

it.each([
  ['disk-full', `${copying}ERROR:  could not extend file "base/1/2": No space left on device`, 'HINT:  Check.'],
  ['disk-full', `${copying}ERROR:  could not extend file "base/1/2": wrote only 4096 of 8192 bytes at block 7`],
  ['disk-full', `${asking}PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device`],
  ['disk-full', 'pg_restore: error: could not write to output file: No space left on device'],
  ['scratch-failed', `${asking}ERROR:  out of memory`, 'DETAIL:  Failed on request of size 8.'],
  ['scratch-failed', `${asking}ERROR:  out of shared memory`, 'HINT:  You might need more.'],
  ['scratch-failed', `${asking}ERROR:  could not read block 1 in file "base/1/2": Input/output error`],
  ['scratch-failed', `${asking}ERROR:  could not connect to server "away"`, 'DETAIL:  connection to server failed'],
  ['scratch-failed', `${asking}ERROR:  deadlock detected`, 'DETAIL:  Process 1 waits.', 'Command was: ALTER TABLE t'],
  ['scratch-failed', `${asking}FATAL:  terminating connection due to administrator command`],
  ['scratch-failed', `${asking}FATAL:  the database system is shutting down`],
  ['scratch-failed', `${asking}server closed the connection unexpectedly`, '\tThis probably means', 'Command was: x'],
  ['scratch-failed', 'pg_restore: error: error returned by PQputCopyData: no connection to the server'],
  ['scratch-failed', 'pg_restore: error: connection to server on socket "/s/.s" failed: FATAL:  sorry'],
])('tells %s from what server and libpq say: %s', (code, ...lines) => {
  expect(codeOf('pg_restore: while PROCESSING TOC:', 'pg_restore: from TOC entry 7; 0 1 TABLE t', ...lines)).toBe(code);
});

it.each(words)('believes no code of the dump that says "%s"', (said) => {
  const raised = 'CONTEXT:  PL/pgSQL function public.look() line 3 at RAISE';
  expect(codeOf(`${copying}ERROR:  ${said}`, raised, 'COPY t, line 1: "1"')).toBe('restore-failed');
  expect(codeOf(`${asking}ERROR:  x`, `FATAL:  ${said}`, raised, 'Command was: ALTER TABLE t')).toBe('restore-failed');
  expect(codeOf(`${asking}ERROR:  ${said}`, raised.replace('RAISE', 'ASSERT'))).toBe('restore-failed');
  expect(codeOf(`${asking}ERROR:  ${said}`, 'CONTEXT:  PL/Perl function "look"')).toBe('restore-failed');
  expect(codeOf(`${copying}ERROR:  x`, `pg_restore: error: ${said}`, raised)).toBe('restore-failed');
});

it.each(words)('believes no row, name or statement that holds "%s"', (said) => {
  const check = `${copying}ERROR:  new row for relation "t" violates check constraint "c"`;
  expect(codeOf(check, `DETAIL:  Failing row contains (${said}).`, `CONTEXT:  COPY t, line 1: "${said}"`)).toBe(
    'restore-failed',
  );
  expect(codeOf(`${copying}ERROR:  invalid input syntax for type integer: "${said}"`)).toBe('restore-failed');
  expect(codeOf(`${asking}ERROR:  type "${said}" does not exist`, `LINE 1: ${said}`)).toBe('restore-failed');
  expect(codeOf(`${asking}ERROR:  syntax error`, `Command was: CREATE FUNCTION f() AS '`, said)).toBe('restore-failed');
  expect(codeOf(`WARNING:  ${said}`, said, `pg_restore: from TOC entry ${said}`, `${asking}ERROR:  no`)).toBe(
    'restore-failed',
  );
  // So long a statement that only its end was kept.
  expect(codeOf(`s a function that says '`, said, `'`)).toBe('restore-failed');
  const wrapped = new Failure('tool-failed', `docker exited with 1: ${'x'.repeat(8_000)}\n${said}`);
  expect(explainRestore(wrapped, 'a')).toMatchObject({ code: 'restore-failed' });
});

it('believes the words of another program, and a signal, and takes no failed wrapper for a failed restore', () => {
  const explained = (message: string) => explainRestore(new Failure('tool-failed', message), 'a');
  expect(explained('zstd exited with 1: zstd: error 11 : Allocation error : Cannot allocate memory')).toMatchObject({
    code: 'scratch-failed',
  });
  expect(explained('pg_restore was killed by SIGKILL.')).toMatchObject({ code: 'scratch-failed' });
  expect(explained('docker exited with 137: no message')).toMatchObject({ code: 'scratch-failed' });
  expect(explained('docker exited with 1: OCI runtime exec failed: sh: not found')).toMatchObject({
    code: 'scratch-failed',
    hint: expect.stringContaining('tools-prefix'),
  });
  expect(explained('zstd exited with 1: zstd: decoding error')).toMatchObject({ code: 'restore-failed' });
  expect(explained('docker exited with 1: pg_restore: error: could not execute query: ERROR:  no')).toMatchObject({
    code: 'restore-failed',
  });
});
