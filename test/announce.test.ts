import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { announce, tellingOf } from '../src/announce.ts';
import { finding, report } from '../src/core/report.ts';
import { worldForTests } from './worlds.ts';

// Stands for a library that never answers and hears no signal.
vi.mock('../src/notifications.ts', () => ({
  tellPeople: (_r: unknown, _s: unknown, _t: unknown, tell: Tell) => tell('notification', () => new Promise(() => {})),
}));
type Tell = (what: string, use: () => Promise<unknown>) => Promise<unknown>;

it('gives a report and a notice when somebody who is told never settles', async () => {
  vi.useFakeTimers();
  const { world } = worldForTests();
  const telling = tellingOf('prune', {}, { env: {}, log: world.log, stopped: new AbortController().signal });
  if (telling === undefined) throw new Error('Nobody would be told.');
  const told = announce(report('Prune', [finding('prune-planned', 'pass', '')]), telling, (text) => text);
  await vi.advanceTimersByTimeAsync(31_500);
  vi.useRealTimers();
  const ended = await Promise.race([told, sleep(5_000, undefined)]);
  expect(ended).toMatchObject({ verdict: 'pass', notices: [expect.stringContaining('There was no end after 30 s')] });
});
