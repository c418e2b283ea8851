import { expect, it } from 'vitest';
import type { Session } from '../../../src/engines/postgresql/session.ts';
import { lockSource } from '../../../src/engines/postgresql/source-lock.ts';

/** A session that gets the lock at its second try. */
function busyAtFirst(): Session {
  let tries = 0;
  const holder = { application: 'lifeboat run 4711', since: '2026-11-21T03:15:00Z', address: '10.0.0.7' };
  const asked: Partial<Session> = {
    one: async <T>() => ({ taken: ++tries > 1 }) as T,
    query: async <T>() => [holder] as T[],
  };
  return asked as Session;
}

it('says who holds the lock as soon as it begins to wait', async () => {
  const lines: string[] = [];
  const info = (line: string) => void lines.push(line);
  const { signal } = new AbortController();
  await lockSource(busyAtFirst(), { source: 'orders', waitMs: 60_000, signal, log: { info } });
  expect(lines).toEqual([
    'Waiting, at most 1m: the source orders is being backed up by "lifeboat run 4711", connected since 2026-11-21T03:15:00Z from 10.0.0.7.',
  ]);
});
