import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { Notification } from '../../src/core/notification.ts';
import { parseNotify } from '../../src/core/notify-target.ts';
import { deliver } from '../../src/notify/registry.ts';
import { startReceiver } from './receiver.ts';
import { hostile, huge, messageOf, sending, stale } from './samples.ts';

const target = (host: string, query = '') =>
  parseNotify(`webhook+http://${host}/hook${query}`)[0] ?? expect.unreachable();

it.each([stale, hostile, huge])('posts the documented JSON, within 256 KiB', async (report) => {
  const receiver = await startReceiver(() => ({ status: 204 }));
  await deliver(target(receiver.host), messageOf(report), sending());
  const [{ headers = {}, body = '' } = {}] = receiver.received;
  expect(Notification.parse(JSON.parse(body))).toEqual(messageOf(report).notification);
  expect(Buffer.byteLength(body)).toBeLessThanOrEqual(262_144);
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  expect(headers).not.toHaveProperty('x-lifeboat-signature-256');
});

it('signs the bytes of the body, with the moment in them, and keeps the secret out of the URL', async () => {
  const receiver = await startReceiver();
  await deliver(target(receiver.host, '?a=1&secret=cörrect%20horse'), messageOf(stale), sending());
  const [{ url = '', headers = {}, body = '' } = {}] = receiver.received;
  const expected = createHmac('sha256', 'cörrect horse').update(Buffer.from(body)).digest('hex');
  expect(headers['x-lifeboat-signature-256']).toBe(`sha256=${expected}`);
  expect(url).toBe('/hook?a=1');
  expect(JSON.parse(body)).toMatchObject({ sentAt: '2026-11-21T03:15:00.000Z' });
});

it.each([
  [401, 'the same `secret`'],
  [404, 'nothing listens there'],
  [400, 'the log of the receiver'],
  [500, 'the next run tries again'],
])('says what to do after %i', async (status, hint) => {
  const receiver = await startReceiver(() => ({ status, body: 'secret=correct-horse' }));
  const failure = await deliver(target(receiver.host, '?secret=correct-horse'), messageOf(stale), sending()).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ message: `webhook (${receiver.host}) answered ${status}.` });
  expect((failure as { hint: string }).hint).toContain(hint);
  expect(JSON.stringify(failure)).not.toContain('correct-horse');
});
