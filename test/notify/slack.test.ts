import { expect, it } from 'vitest';
import { parseNotify } from '../../src/core/notify-target.ts';
import { deliver } from '../../src/notify/registry.ts';
import { slackMessage } from '../../src/notify/slack.ts';
import { startReceiver } from './receiver.ts';
import { fresh, hostile, huge, messageOf, notified, RUN_URL, sending, stale } from './samples.ts';

const PATH = '/services/T0LIFEBOAT/B0LIFEBOAT/key0key0key0';
const target = (host: string) => parseNotify(`slack+http://${host}${PATH}`)[0] ?? expect.unreachable();

it('posts verdict, change, findings, what to do, and the link to the run', async () => {
  const receiver = await startReceiver();
  await deliver(target(receiver.host), messageOf(stale), sending());
  const [{ url = '', headers = {}, body = '' } = {}] = receiver.received;
  expect({ url, type: headers['content-type'] }).toEqual({ url: PATH, type: 'application/json; charset=utf-8' });
  expect(JSON.parse(body)).toEqual(slackMessage(notified(stale)));
  expect(slackMessage(notified(stale)).blocks).toMatchObject([
    { type: 'header', text: { type: 'plain_text', text: '❌ fail: Freshness of orders' } },
    {
      text: { text: expect.stringMatching(/^This is new: .*\nverify-freshness in acme\/operations · orders\nNewest/) },
    },
    { text: { text: expect.stringContaining('❌ *fail* The newest backup is 2d 3h old') } },
    { text: { text: expect.stringContaining('⚠️ *warn* No drill was recorded') } },
    { text: { text: `<${RUN_URL}|Open the run>` } },
  ]);
  expect(slackMessage(notified(stale)).text).toContain('*What to do:* Look why `backup` did not run.');
});

it('says that it recovered', () => {
  const { text } = slackMessage(notified(fresh, { change: 'recovered' }));
  expect(text).toMatch(/^\*✅ recovered: Freshness of orders\*\n\nIt is well again; it had been failing since 2026/);
});

it('lets nothing in a report mention, link or format beyond its place', () => {
  const { text, blocks } = slackMessage(notified(hostile));
  const sections = blocks.filter(({ type }) => type === 'section').map((block) => block.text.text);
  for (const shown of [text, ...sections]) {
    expect(shown.replace(`<${RUN_URL}|Open the run>`, '')).not.toMatch(/<|>|&(?!amp;|lt;|gt;)|@here|@channel|#general/);
    expect(shown.replace(RUN_URL, '')).not.toMatch(/https?:|www\.evil|\]\(/);
  }
  expect(blocks.map(({ text }) => 'verbatim' in text && text.verbatim)).toEqual([false, true, true, true]);
});

it('stays within the limits of Slack, however large the report', () => {
  for (const report of [huge, hostile, stale]) {
    const { text, blocks } = slackMessage(notified(report));
    expect(blocks.length).toBeLessThanOrEqual(50);
    for (const { type, text } of blocks) expect(text.text.length).toBeLessThanOrEqual(type === 'header' ? 150 : 3_000);
    expect(text.length).toBeLessThanOrEqual(40_000);
  }
  expect(JSON.stringify(slackMessage(notified(huge)))).toContain('… and 490 more findings');
});

it.each([
  [404, 'no_service', 'The webhook was revoked'],
  [403, 'action_prohibited', 'The workspace forbids this webhook'],
  [410, 'channel_is_archived', 'The channel was archived'],
  [403, 'invalid_token', 'Copy the whole URL'],
  [404, `<html>${PATH}</html>`, 'Check that the whole URL'],
])('says what to do after %i %s', async (status, body, hint) => {
  const receiver = await startReceiver(() => ({ status, body }));
  const failure = await deliver(target(receiver.host), messageOf(stale), sending()).catch((error: unknown) => error);
  const said = /^\w+$/.test(body) ? ` (${body})` : '';
  expect(failure).toMatchObject({
    code: 'not-delivered',
    message: `Slack (${receiver.host}) answered ${status}${said}.`,
  });
  expect((failure as { hint: string }).hint).toContain(hint);
  expect(JSON.stringify(failure) + String(failure)).not.toContain('key0key0');
});

it('arrives at the second try when the first met trouble', async () => {
  const receiver = await startReceiver((at) => ({ status: at === 0 ? 502 : 200 }));
  await deliver(target(receiver.host), messageOf(stale), sending());
  expect(receiver.received).toHaveLength(2);
});
