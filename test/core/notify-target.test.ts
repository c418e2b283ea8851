import { expect, it } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import { parseNotify, targetId } from '../../src/core/notify-target.ts';

it.each([
  [
    'slack+https://hooks.slack.com/services/T0/B0/key',
    { kind: 'slack', label: 'Slack (hooks.slack.com)', url: 'https://hooks.slack.com/services/T0/B0/key' },
  ],
  [
    'slack+http://chat.internal:8065/hooks/key',
    { kind: 'slack', label: 'Slack (chat.internal:8065)', url: 'http://chat.internal:8065/hooks/key' },
  ],
  [
    'telegram://123:AB-c_d@-1001234567890',
    { label: 'Telegram (-1001234567890)', token: '123:AB-c_d', chat: '-1001234567890', thread: undefined },
  ],
  ['telegram://123%3AAB@@backups', { token: '123:AB', chat: '@backups', endpoint: 'https://api.telegram.org' }],
  [
    'telegram://123:AB@backups?thread=7&endpoint=http%3A%2F%2F127.0.0.1%3A81%2Fbots%2F',
    { label: 'Telegram (@backups, 127.0.0.1:81)', chat: '@backups', thread: 7, endpoint: 'http://127.0.0.1:81/bots' },
  ],
  [
    'smtps://ops%40example.com:p%40ss:w%2Fo@mail.example.com?to=a@example.com',
    {
      kind: 'mail',
      label: 'mail to a@example.com',
      host: 'mail.example.com',
      port: 465,
      secure: true,
      startTls: 'required',
      login: { user: 'ops@example.com', password: 'p@ss:w/o' },
      from: 'ops@example.com',
    },
  ],
  [
    'smtp://relay.internal?to=ops+backup@example.com,%20dba@example.org&from=lifeboat@example.net',
    {
      port: 25,
      secure: false,
      startTls: undefined,
      login: undefined,
      to: ['ops+backup@example.com', 'dba@example.org'],
      from: 'lifeboat@example.net',
    },
  ],
  [
    'smtp://u:p@[::1]:2525?to=a@b.example',
    { host: '::1', port: 2525, startTls: 'required', from: 'lifeboat@b.example' },
  ],
  ['smtp://u:p@h?to=a@b.example&starttls=never', { port: 587, startTls: 'never' }],
  [
    'webhook+https://ops.example.com/hook?a=1&secret=s%26+t&b=2',
    {
      kind: 'webhook',
      label: 'webhook (ops.example.com)',
      url: 'https://ops.example.com/hook?a=1&b=2',
      secret: 's&+t',
    },
  ],
  ['webhook+http://ops.example.com', { url: 'http://ops.example.com/', secret: undefined }],
  ['ping+https://hc-ping.com/uuid/', { kind: 'ping', label: 'ping (hc-ping.com)', url: 'https://hc-ping.com/uuid' }],
])('reads %s', (line, target) => {
  expect(parseNotify(line)[0]).toMatchObject(target);
});

it.each([
  [
    'https://hooks.slack.com/services/T0/B0/key',
    'A bare `https://` does not say what listens there. Write `slack+https',
  ],
  ['http://x/', 'A bare `http://`'],
  ['discord+https://x/y', 'There is no such scheme. Write `slack+https'],
  ['constructor://x/y', 'There is no such scheme.'],
  ['ops@example.com', 'That is no URL.'],
  ['slack+https://hooks.slack.com/', 'That is no incoming webhook.'],
  ['slack+https://u:p@hooks.slack.com/services/T0/B0/key', 'That is no incoming webhook.'],
  ['slack+https://hooks.slack.com/services/T0/B0/key?channel=x', 'the unknown parameter `channel`. It takes none.'],
  ['slack+https://', 'That cannot be read as a URL.'],
  ['webhook+https://x/y#z', 'There is a `#` in it.'],
  ['webhook+https://x/y?sercet=correct-horse', 'There is `sercet` in it. Did you mean `secret`?'],
  ['webhook+https://x/y?secret=', '`secret` is empty.'],
  ['webhook+https://x/y?secret=a&secret=b', '`secret` is there twice.'],
  ['webhook+https://x/y?secret=%zz', 'broken `%` sequence'],
  ['ping+https://hc-ping.com', 'The path is missing.'],
  ['ping+https://hc-ping.com/uuid?rid=1', 'the unknown parameter `rid`. It takes `create`.'],
  ['telegram://token@-100', 'There is no token of a bot in it.'],
  ['telegram://123:AB@', 'There is no token of a bot in it.'],
  ['telegram://123:AB@x y', 'That is no chat.'],
  ['telegram://123:AB@-100?chat=1', 'the unknown parameter `chat`. It takes `endpoint`, `thread`.'],
  ['telegram://123:AB@-100?thread=x', '`thread` is the number of a topic.'],
  ['telegram://123:AB@-100?endpoint=ftp://x', '`endpoint` is the address of a Bot API server'],
  ['smtp://h', '`to` is missing'],
  ['smtp://h?to=,', '`to` is missing'],
  ['smtp://h?to=a@b.example,c', 'Not every part of `to` is an address.'],
  ['smtp://h?to=a%20b@c.example', 'Not every part of `to` is an address.'],
  ['smtp://h?to=a@b.example%0d%0aBcc:x@y.example', 'Not every part of `to` is an address.'],
  ['smtp://h?to=a@b.example&from=x%0ay@b.example', '`from` is no address.'],
  ['smtp://h?to=a@b.example&cc=d@b.example', 'the unknown parameter `cc`. It takes `to`, `from`, `starttls`.'],
  ['smtp://user@h?to=a@b.example', 'There is a user without a password'],
  ['smtp://u:pa/ss@h?to=a@b.example', 'There is a path or a `#` in it. Encode what belongs to the password'],
  ['smtp://:25?to=a@b.example', 'There is no host in it'],
  ['smtp://h:70000?to=a@b.example', 'There is no host in it, or its port is none.'],
  ['smtps://h?to=a@b.example&starttls=never', '`starttls` belongs to `smtp://`'],
  ['smtp://h?to=a@b.example&starttls=maybe', '`starttls` is `required` or `never`'],
])('refuses %s', (line, hint) => {
  expect(hintOf(line)).toContain(hint);
});

it('never repeats a value: only names of parameters and schemes', () => {
  for (const line of ['https://h/s3cr3t', 'webhook+https://h/s3cr3t?secret=s3cr3t&secret=x', 'telegram://s3cr3t@-1']) {
    expect(hintOf(line)).not.toContain('s3cr3t');
  }
});

it('reads one URL a line, and says which one is wrong', () => {
  const text = '\n  ping+https://hc-ping.com/uuid \r\n\nslack+https://hooks.slack.com/services/T0/B0/key\n';
  expect(parseNotify(text).map(({ kind }) => kind)).toEqual(['ping', 'slack']);
  expect(hintOf(`${text}https://x/y`)).toMatch(/^Line 5: A bare/);
  expect(parseNotify('')).toEqual([]);
});

it('names each target by something that tells nothing of it', () => {
  const ids = parseNotify(
    'slack+https://x/services/a\nslack+https://x/services/b\nsmtp://u:p1@h?to=a@b.example\nsmtp://u:p2@h?to=a@b.example',
  ).map(targetId);
  expect(ids[0]).toMatch(/^[0-9a-f]{16}$/);
  expect(new Set(ids.slice(0, 2)).size).toBe(2);
  expect(ids[2]).toBe(ids[3]);
});

function hintOf(text: string): string {
  try {
    parseNotify(text);
  } catch (error) {
    if (error instanceof Failure) return error.hint ?? '';
  }
  throw new Error(`${text} was taken.`);
}
