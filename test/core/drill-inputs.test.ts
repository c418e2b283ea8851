import { expect, it } from 'vitest';
import { checkScratchSettings, parseAssertions } from '../../src/core/drill-inputs.ts';

it.each([
  { line: 'orders: SELECT true', name: 'orders', sql: 'SELECT true' },
  { line: 'a cast: SELECT 1::boolean;', name: 'a cast', sql: 'SELECT 1::boolean' },
  { line: "names: SELECT x = 'a: b' FROM t", name: 'names', sql: "SELECT x = 'a: b' FROM t" },
])('reads $line', ({ line, name, sql }) => {
  expect(parseAssertions([line])).toEqual([{ name, sql }]);
});

it.each(['SELECT true', 'SELECT 1::boolean', ': SELECT true', 'name:', 'name: \\! id'])('refuses %j', (line) => {
  expect(() => parseAssertions([line])).toThrow(/is no assertion/);
});

it.each([
  "shared_preload_libraries = 'timescaledb,pg_stat_statements'",
  'work_mem=64MB',
  "timescaledb.max_background_workers = '0'",
  "TimeZone = 'Europe/Berlin'",
])('allows %s', (line) => {
  expect(checkScratchSettings([line])).toEqual([line]);
});

it.each([
  "listen_addresses = '*'",
  "archive_command = 'curl'",
  "ssl_passphrase_command = 'id'",
  "include = '/etc/passwd'",
  "include '/etc/passwd'",
  "unix_socket_directories = '/tmp'",
  "work_mem = '1MB' # x",
  "work_mem = '1MB'\nlisten_addresses = '*'",
])('refuses %j', (line) => {
  expect(() => checkScratchSettings([line])).toThrow(/is not allowed/);
});
