import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { parseNotify } from '../../src/core/notify-target.ts';
import { finding, report } from '../../src/core/report.ts';
import { deliver } from '../../src/notify/registry.ts';
import { telegramText } from '../../src/notify/telegram.ts';
import { startReceiver } from './receiver.ts';
import { hostile, huge, messageOf, notified, RUN_URL, sending, stale } from './samples.ts';

const TOKEN = '123456789:AAF-l0ngT0kenOfABot_xyz';
const target = (host: string, more = '') =>
  parseNotify(`telegram://${TOKEN}@-1001234567890?endpoint=http://${host}${more}`)[0] ?? expect.unreachable();

const refusal = (status: number, description: string, parameters?: object) => ({
  status,
  body: JSON.stringify({ ok: false, error_code: status, description, parameters }),
});

it('sends a message as HTML to the chat', async () => {
  const receiver = await startReceiver();
  await deliver(target(receiver.host, '&thread=7'), messageOf(stale), sending());
  const [{ url = '', body = '' } = {}] = receiver.received;
  expect(url).toBe(`/bot${TOKEN}/sendMessage`);
  expect(JSON.parse(body)).toEqual({
    chat_id: '-1001234567890',
    message_thread_id: 7,
    parse_mode: 'HTML',
    link_preview_options: { is_disabled: true },
    text: telegramText(notified(stale)),
  });
  expect(telegramText(notified(stale))).toBe(`<b>❌ fail: Freshness of orders</b>
This is new: the run before was well, or there was none.
verify-freshness in acme/operations
orders

❌ <b>fail</b> The newest backup is 2d 3h old; the limit is 1d 2h. (backup-age)
<b>What to do:</b> Look why <code>backup</code> did not run.

⚠️ <b>warn</b> No drill was recorded for orders. (drill-missing)

<a href="${RUN_URL}">Open the run</a>`);
});

it('lets nothing in a report open a tag, mention or link', () => {
  const text = telegramText(notified(hostile)).replace(`<a href="${RUN_URL}">`, '<a>');
  expect(text.match(/<[^>]*>/g)?.every((tag) => /^<\/?(b|code|a)>$/.test(tag))).toBe(true);
  expect(text).not.toMatch(/@here|@channel|https?:|www\.evil|<img/);
});

it('leaves out whole findings, never a part of the markup, and fits', () => {
  const text = telegramText(notified(huge));
  expect(text.length).toBeLessThanOrEqual(4_096);
  expect(text).toMatch(/… and \d+ more findings, all in the report\.\n<a href=/);
  const anything = fc.array(fc.record({ message: fc.string({ maxLength: 2_000 }), hint: fc.string() }), {
    maxLength: 9,
  });
  fc.assert(
    fc.property(anything, fc.string(), (findings, title) => {
      const judged = findings.map(({ message, hint }) => finding('facts-tables', 'fail', message, { hint }));
      const shown = telegramText(notified(report(title, judged)));
      expect(shown.length).toBeLessThanOrEqual(4_096);
      for (const tag of ['b', 'code', 'a']) {
        expect(shown.split(`<${tag}`).length).toBe(shown.split(`</${tag}>`).length);
      }
      expect(shown.replaceAll(/<\/?(b|code|a)( href="[^"<>]*")?>|&(amp|lt|gt);/g, '')).not.toMatch(/[<>&]/);
    }),
    { numRuns: 200 },
  );
});

it.each([
  [refusal(401, 'Unauthorized'), 'The token is wrong or was revoked.'],
  [refusal(404, 'Not Found'), 'The token is wrong or was revoked.'],
  [refusal(400, 'Bad Request: chat not found'), 'There is no chat -1001234567890 for this bot.'],
  [refusal(403, 'Forbidden: bot was kicked from the group chat'), 'The bot was removed from -1001234567890'],
  [
    refusal(400, 'Bad Request: group chat was upgraded to a supergroup chat', { migrate_to_chat_id: -100999 }),
    'Write its new number, -100999,',
  ],
  [{ status: 400, body: `<html>${TOKEN}</html>` }, 'Check token, chat'],
  [refusal(400, `Bad Request: no ${TOKEN}`), 'Check token, chat'],
])('says what to do after %o', async (reply, hint) => {
  const receiver = await startReceiver(() => reply);
  const failure = await deliver(target(receiver.host), messageOf(stale), sending()).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'not-delivered', hint: expect.stringContaining(hint) });
  expect(String(failure)).toContain(`Telegram (-1001234567890, ${receiver.host}) answered ${reply.status}`);
  expect(JSON.stringify(failure) + String(failure)).not.toContain('AAF-l0ng');
});

it('waits as long as Telegram says in its body, or not at all', async () => {
  const soon = await startReceiver((at) => (at === 0 ? refusal(429, 'Too Many Requests', { retry_after: 1 }) : {}));
  await deliver(target(soon.host), messageOf(stale), sending());
  expect(soon.received).toHaveLength(2);
  const late = await startReceiver(() => refusal(429, 'Too Many Requests', { retry_after: 3_600 }));
  await expect(deliver(target(late.host), messageOf(stale), sending())).rejects.toThrow('answered 429');
  expect(late.received).toHaveLength(1);
});

it('ends the connection when its time is over', async () => {
  const stop = new AbortController();
  const receiver = await startReceiver(() => {
    stop.abort();
    return 'silence';
  });
  const sent = deliver(target(receiver.host), messageOf(stale), sending({ signal: stop.signal }));
  await expect(sent).rejects.toMatchObject({ code: 'timed-out' });
  await vi.waitFor(() => expect(receiver.connections()).toBe(0), 20_000);
});
