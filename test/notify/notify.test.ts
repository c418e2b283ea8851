import { expect, it } from 'vitest';
import type { Change, NotifyOn, Standing } from '../../src/core/change.ts';
import { Notification } from '../../src/core/notification.ts';
import { parseNotify, targetId } from '../../src/core/notify-target.ts';
import { notifyAll, startPings } from '../../src/notify/notify.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { fresh, occasion, stale } from './samples.ts';

const now = occasion.now;
const { signal } = new AbortController();

function telling(notify: string, on: NotifyOn = 'change') {
  const given = { notify: parseNotify(notify), 'notify-on': on };
  return { action: 'backup', given, run: {}, env: {}, now: () => now };
}

function history(change: Change, before?: Standing) {
  return { change, before, thread: '0123', now };
}

const standing = (well: boolean, owed: readonly string[] = []): Standing => ({
  format: 1,
  well,
  groups: well ? [] : ['age'],
  since: '2026-11-20T03:15:00.000Z',
  owed: [...owed],
});

const sentTo = ({ received }: Receiver) => received.map(({ body }) => Notification.parse(JSON.parse(body)));

it('sends to those who want to hear of the change, and pings always', async () => {
  const receiver = await startReceiver();
  const told = telling(`webhook+http://${receiver.host}/a\nping+http://${receiver.host}/check`);
  const changes: Change[] = ['broke', 'still-broken', 'recovered', 'still-well'];
  expect(changes.map((change) => notifyAll(fresh, history(change), told).length)).toEqual([2, 1, 2, 1]);
  expect(receiver.received).toEqual([]);
});

it('says since when it fails', async () => {
  const receiver = await startReceiver();
  const told = telling(`webhook+http://${receiver.host}/a`, 'always');
  const each = [
    [stale, history('broke')],
    [stale, history('broke', standing(true))],
    [stale, history('still-broken', standing(false))],
    [fresh, history('recovered', standing(false))],
    [fresh, history('recovered')],
    [fresh, history('still-well', standing(true))],
  ] as const;
  for (const [report, past] of each) for (const { send } of notifyAll(report, past, told)) await send(signal);
  const before = '2026-11-20T03:15:00.000Z';
  expect(sentTo(receiver).map(({ failingSince }) => failingSince)).toEqual([
    now.toISOString(),
    now.toISOString(),
    before,
    before,
    null,
    null,
  ]);
});

it('tells those who missed the last change, and nobody else', async () => {
  const receiver = await startReceiver();
  const told = telling(`webhook+http://${receiver.host}/a\nwebhook+http://${receiver.host}/b`);
  const owed = told.given.notify.slice(0, 1).map(targetId);
  for (const [change, well] of [
    ['still-broken', false],
    ['still-well', true],
  ] as const) {
    const sendables = notifyAll(well ? fresh : stale, history(change, standing(well, owed)), told);
    expect(sendables.map(({ owedTo }) => owedTo)).toEqual(owed);
    for (const { send } of sendables) await send(signal);
  }
  expect(receiver.received.map(({ url }) => url)).toEqual(['/a', '/a']);
  expect(sentTo(receiver).map(({ change }) => change)).toEqual(['broke', 'recovered']);
});

it('owes nobody what the next run says anyway', () => {
  const told = telling('webhook+http://127.0.0.1:1/a\nping+http://127.0.0.1:1/check', 'always');
  const owedAfter = (change: Change) => notifyAll(fresh, history(change), told).filter(({ owedTo }) => owedTo);
  expect(owedAfter('still-well')).toEqual([]);
  expect(owedAfter('still-broken')).toEqual([]);
  expect(owedAfter('broke')).toHaveLength(1);
});

it('tells every switch of the start, and names each that does not answer', async () => {
  const receiver = await startReceiver();
  const up = `ping+http://${receiver.host}/check`;
  const told = telling(`webhook+http://127.0.0.1:1/a\nping+http://127.0.0.1:1/x\n${up}\nping+http://127.0.0.1:2/y`);
  await expect(startPings(told.given, told, signal)).rejects.toMatchObject({
    code: 'not-delivered',
    message:
      'ping (127.0.0.1:1) could not be reached (ECONNREFUSED). ping (127.0.0.1:2) could not be reached (ECONNREFUSED).',
  });
  expect(receiver.received.map(({ url }) => url)).toEqual(['/check/start']);
  await startPings(telling(up).given, told, signal);
  expect(receiver.received).toHaveLength(2);
});
