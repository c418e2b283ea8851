import { expect, it } from 'vitest';
import type { ProbeAnswer } from '../../src/core/application.ts';
import type { World } from '../../src/core/ports.ts';
import { awaitHealth, runCommands } from '../../src/core/restore-commands.ts';
import { at, fakeWorld } from '../fixtures.ts';

/** Time goes on only where somebody waits: a probe takes a second, a pause as long as it is. */
function worldOf(answers: readonly ProbeAnswer[]) {
  const lines: string[] = [];
  let now = at('2026-11-22T04:00:00Z').getTime();
  let asked = 0;
  const probe = async (): Promise<ProbeAnswer> => {
    now += 1_000;
    asked += 1;
    return answers[Math.min(asked, answers.length) - 1] ?? { problem: 'was not asked' };
  };
  const world: World = fakeWorld({}, '2026-11-22', {
    now: () => new Date(now),
    sleep: async (ms) => {
      now += ms;
    },
    log: { info: (line) => void lines.push(line), warning() {}, debug() {}, group: (_title, use) => use() },
    application: {
      probe,
      runScript: async (script, onLine) => {
        onLine(`ran ${script}`);
        return script === 'killed'
          ? { code: null, signal: 'SIGKILL' }
          : { code: script === 'ok' ? 0 : 3, signal: null };
      },
    },
  });
  return { world, lines, asked: () => asked };
}

const url = 'https://shop.example/health?key=secret';

it('waits for the first answer that is 2xx', async () => {
  const { world, lines, asked } = worldOf([
    { problem: 'could not be reached (ECONNREFUSED)' },
    { status: 302 },
    { status: 204 },
  ]);
  expect(await awaitHealth(url, 60_000, world)).toMatchObject({
    rule: 'restore-health',
    status: 'pass',
    numbers: { tries: 3 },
  });
  expect(asked()).toBe(3);
  expect(lines).toEqual([
    'https://shop.example/health could not be reached (ECONNREFUSED).',
    'https://shop.example/health answered 302.',
  ]);
});

it('gives up when its time is over, with the last answer', async () => {
  const { world, lines } = worldOf([{ status: 503 }]);
  const found = await awaitHealth(url, 30_000, world);
  expect(found).toMatchObject({ status: 'fail', numbers: { limitSeconds: 30 } });
  expect(found.message).toBe(
    'https://shop.example/health did not get healthy in 30s; at the last try it answered 503.',
  );
  expect(found.numbers?.tries).toBeGreaterThan(5);
  // The same answer is said once.
  expect(lines).toHaveLength(1);
});

it('runs commands, and says how they failed', async () => {
  const { world, lines } = worldOf([]);
  expect(await runCommands('before', 'ok', world)).toMatchObject({ rule: 'restore-commands', status: 'pass' });
  expect(lines).toEqual(['before: ran ok']);
  await expect(runCommands('after', 'no', world)).rejects.toThrow('`after` exited with 3.');
  await expect(runCommands('after', 'killed', world)).rejects.toThrow('`after` was ended by SIGKILL.');
});
