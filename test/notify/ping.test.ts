import { expect, it } from 'vitest';
import { parseNotify } from '../../src/core/notify-target.ts';
import { pingText } from '../../src/notify/ping.ts';
import { deliver, deliverStart } from '../../src/notify/registry.ts';
import { startReceiver } from './receiver.ts';
import { fresh, huge, messageOf, RUN_URL, sending, stale } from './samples.ts';

const CHECK = '/0d338dcc-a054-11ec-b909-0242ac120002';

function target(host: string) {
  const [ping] = parseNotify(`ping+http://${host}${CHECK}`);
  return ping?.kind === 'ping' ? ping : expect.unreachable();
}

it('says start, success and failure by the path, with the report as the body', async () => {
  const receiver = await startReceiver(() => ({ body: 'OK' }));
  await deliverStart(target(receiver.host), sending());
  await deliver(target(receiver.host), messageOf(fresh), sending());
  await deliver(target(receiver.host), messageOf(stale), sending());
  expect(receiver.received.map(({ method, url }) => `${method} ${url}`)).toEqual([
    `POST ${CHECK}/start`,
    `POST ${CHECK}`,
    `POST ${CHECK}/fail`,
  ]);
  expect(receiver.received[0]?.body).toBe('');
  expect(receiver.received[2]?.body).toMatch(new RegExp(`^FAIL: Freshness of orders\n${RUN_URL}\n\nfail backup-age`));
});

it('cuts the body to ten kilobytes, between two characters', () => {
  for (let extra = 0; extra < 14; extra += 1) {
    const text = pingText({ ...huge, title: 'x'.repeat(extra) }, RUN_URL);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(10_000);
    expect(text).toMatch(/\n…\n$/);
    expect(text).not.toContain('\ufffd');
  }
  expect(pingText(fresh, undefined)).toBe('PASS: Freshness of orders\n\n1 check passed.\n');
});

it.each([
  [{ status: 404, body: 'not found' }, 'answered 404 (not found).'],
  [{ status: 200, body: 'OK (not found)' }, 'answered 200 (OK (not found)).'],
  [{ status: 409, body: `ambiguous slug ${CHECK}` }, 'answered 409.'],
])('is not content with %o', async (reply, message) => {
  const receiver = await startReceiver(() => reply);
  const failure = await deliver(target(receiver.host), messageOf(fresh), sending()).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    message: `ping (${receiver.host}) ${message}`,
    hint: expect.stringContaining('Check that the check exists'),
  });
});
