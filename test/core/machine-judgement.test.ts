import { expect, it } from 'vitest';
import { judgeMachine } from '../../src/core/machine-judgement.ts';
import type { Machine, Room } from '../../src/core/workplace.ts';

const GIB = 1024 ** 3;
const disk: Room = {
  path: '/var/tmp',
  freeBytes: 50 * GIB,
  totalBytes: 100 * GIB,
  fileSystem: { name: 'ext4', kind: 'disk' },
};
const good: Machine = {
  node: '24.21.0',
  platform: 'linux x64',
  programs: [{ name: 'zstd', version: '1.5.4' }],
  scratch: disk,
  runner: { version: '2.327.1', temp: disk },
};

const bad = (changes: Partial<Machine>) =>
  judgeMachine({ ...good, ...changes })
    .filter(({ status }) => status !== 'pass')
    .map(({ rule, status, message }) => `${status} ${rule}: ${message}`);

it('is content with a good machine', () => {
  expect(bad({})).toEqual([]);
  expect(bad({ runner: undefined })).toEqual([]);
  expect(bad({ runner: { version: undefined, temp: undefined } })).toEqual([]);
});

it.each([
  ['2.327.0', false],
  ['2.327.1', true],
  ['2.330.0', true],
  ['2.99.9', false],
  ['3.0.0', true],
  ['1.999.9', false],
])('takes a runner %s: %s', (version, isTaken) => {
  expect(bad({ runner: { version, temp: undefined } })).toHaveLength(isTaken ? 0 : 1);
});

it.each<[Partial<Machine>, string]>([
  [{ node: '22.9.0' }, 'fail runner-version: This is Node 22.9.0 on linux x64.'],
  [{ programs: [{ name: 'zstd', version: undefined }] }, 'fail runner-program: There is no zstd here'],
  [{ programs: [{ name: 'unshare', version: undefined }] }, 'warn runner-program: There is no unshare here'],
  [
    { scratch: { ...disk, fileSystem: { name: 'tmpfs', kind: 'memory' } } },
    'fail scratch-room: Scratch servers live on tmpfs',
  ],
  [
    { scratch: { ...disk, fileSystem: { name: 'nfs', kind: 'network' } } },
    'warn scratch-room: Scratch servers live on nfs',
  ],
  [{ scratch: { ...disk, freeBytes: GIB / 2 } }, 'warn scratch-room'],
  [{ runner: { version: undefined, temp: { ...disk, freeBytes: GIB / 2 } } }, 'warn scratch-room: 512 MiB of 100 GiB'],
])('says what is wrong: %j', (changes, said) => {
  const [only = '', ...others] = bad(changes);
  expect(others).toEqual([]);
  expect(only).toContain(said);
});

it('gives a command with each program that is missing', () => {
  const names = ['zstd', 'unshare', 'setpriv', 'flock'];
  const missing = judgeMachine({ ...good, programs: names.map((name) => ({ name, version: undefined })) });
  const hints = missing.flatMap(({ rule, hint }) => (rule === 'runner-program' ? [hint] : []));
  expect(hints).toHaveLength(names.length);
  for (const hint of hints) expect(hint).toMatch(/^`sudo apt-get install --no-install-recommends (zstd|util-linux)`$/);
});
