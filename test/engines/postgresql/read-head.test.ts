import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { readHead } from '../../../src/engines/postgresql/archive-list.ts';

const shell = (script: string) => ({ program: 'sh', args: ['-c', script], env: { PATH: process.env.PATH ?? '' } });
const reader = shell('cat >/dev/null; echo "input file is too short" >&2; exit 1');

it('says that what comes before the reader was killed, and not that its input is too short', async () => {
  const reading = readHead([shell('kill -9 $$'), reader], Readable.from(['']), new AbortController().signal);
  await expect(reading).rejects.toThrow('sh was killed by SIGKILL');
});

it('says what the reader found wrong when all else went well', async () => {
  const reading = readHead([shell('true'), reader], Readable.from(['']), new AbortController().signal);
  await expect(reading).rejects.toThrow('input file is too short');
});
