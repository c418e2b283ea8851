import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { parseNotify } from '../../src/core/notify-target.ts';
import { deliver } from '../../src/notify/registry.ts';
import { makeCertificate } from './certificate.ts';
import { type MailServer, startMailServer } from './mail-server.ts';
import { fresh, hostile, hostileText, huge, messageOf, RUN_URL, sending, stale } from './samples.ts';

const target = ({ port }: Pick<MailServer, 'port'>, query = '', login = '') =>
  parseNotify(`smtp://${login}127.0.0.1:${port}?to=ops@example.com,dba@example.org${query}`)[0] ?? expect.unreachable();

const failureOf = (sent: Promise<void>) =>
  sent.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );

it('sends text and HTML with the verdict in the subject', async () => {
  const server = await startMailServer();
  await deliver(target(server), messageOf(stale), sending());
  const [{ parsed, to } = expect.unreachable()] = server.mails;
  expect(to).toEqual(['ops@example.com', 'dba@example.org']);
  expect(parsed.subject).toBe('[Lifeboat] fail: Freshness of orders');
  expect(parsed.from?.text).toBe('"Lifeboat" <lifeboat@example.com>');
  expect(parsed.headers.get('auto-submitted')).toBe('auto-generated');
  expect(parsed.text).toMatch(
    /^fail: Freshness of orders\n\nThis is new: .*\nverify-freshness in acme\/operations\nSource: orders\n\nfail backup-age/,
  );
  expect(parsed.text).toContain(`The run: ${RUN_URL}`);
  expect(parsed.html).toContain('<b>What to do:</b> Look why <code>backup</code> did not run.');
  expect(parsed.html).toContain(`<a href="${RUN_URL}">Open the run</a>`);
});

it('puts a failure, its repetition and its end into one conversation', async () => {
  const server = await startMailServer();
  await deliver(target(server), messageOf(stale), sending());
  const again = { change: 'still-broken', id: '00000000-0000-4000-8000-000000000001' } as const;
  await deliver(target(server), messageOf(stale, again), sending());
  const end = { change: 'recovered', id: '00000000-0000-4000-8000-000000000002' } as const;
  await deliver(target(server), messageOf(fresh, end), sending());
  const [first, second, third] = server.mails.map(({ parsed }) => parsed);
  expect(first?.messageId).toMatch(/^<lifeboat\.[0-9a-f]{32}\.\d+@example\.com>$/);
  expect(first?.references).toBeUndefined();
  for (const mail of [second, third]) expect(mail?.inReplyTo).toBe(first?.messageId);
  expect(third?.references).toBe(first?.messageId);
  expect(new Set([first?.messageId, second?.messageId, third?.messageId]).size).toBe(3);
  expect(third?.subject).toBe('[Lifeboat] recovered: Freshness of orders');
});

it('lets nothing in a report become a header, a tag or a recipient', async () => {
  const server = await startMailServer();
  await deliver(target(server), messageOf(hostile), sending());
  const [{ parsed, to, raw } = expect.unreachable()] = server.mails;
  expect(to).toEqual(['ops@example.com', 'dba@example.org']);
  expect(parsed.bcc).toBeUndefined();
  expect(parsed.headers.has('bcc')).toBe(false);
  expect(raw.split('\r\n\r\n')[0]).not.toMatch(/^Bcc:/im);
  expect(parsed.subject?.startsWith('[Lifeboat] fail: a|b `x` </b><img')).toBe(true);
  expect(parsed.html).not.toMatch(/<img|<\/b><|<a href="http:|<!channel>/);
  expect(parsed.text).toContain(hostileText.slice(0, 40));
});

it('sends the largest report', async () => {
  const server = await startMailServer();
  await deliver(target(server), messageOf(huge), sending());
  expect(server.mails[0]?.parsed.text).toMatch(/… and \d+ more findings, all in the report\./);
  expect(server.mails[0]?.parsed.subject?.length).toBeLessThan(300);
});

it('logs in, and sends as its user', async () => {
  const server = await startMailServer({ authOptional: false });
  await deliver(target(server, '&starttls=never', 'ops%40example.net:right@'), messageOf(stale), sending());
  expect(server.logins).toEqual(['ops@example.net:right']);
  expect(server.mails[0]?.parsed.from?.text).toBe('"Lifeboat" <ops@example.net>');
});

it('says that the password is wrong, without it', async () => {
  const server = await startMailServer({ authOptional: false });
  const failure = await failureOf(
    deliver(target(server, '&starttls=never', 'ops:hunter2hunter2@'), messageOf(stale), sending()),
  );
  expect(failure).toMatchObject({
    code: 'not-delivered',
    message: `mail to ops@example.com, dba@example.org could not be sent by 127.0.0.1:${server.port} (535 Authentication credentials invalid).`,
    hint: expect.stringContaining('Check user and password'),
  });
  expect(JSON.stringify(failure) + String(failure)).not.toContain('hunter2');
});

it('sends no password where the connection is in clear', async () => {
  const server = await startMailServer();
  const failure = await failureOf(deliver(target(server, '', 'ops:right@'), messageOf(stale), sending()));
  expect(failure).toMatchObject({ code: 'not-delivered' });
  expect(server.logins).toEqual([]);
});

it('trusts no certificate that nobody vouches for', async () => {
  const server = await startMailServer({ disabledCommands: [], ...makeCertificate() });
  const failure = await failureOf(deliver(target(server, '', 'ops:right@'), messageOf(stale), sending()));
  expect(failure).toMatchObject({ hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') });
  expect(server.logins).toEqual([]);
});

it('says which recipients were refused while others were taken, and who sends when all were', async () => {
  const server = await startMailServer({
    onRcptTo: ({ address }, _session, done) => done(address.startsWith('dba') ? new Error('no such user') : null),
  });
  const failure = await failureOf(deliver(target(server), messageOf(stale), sending()));
  expect(failure).toMatchObject({
    message: 'mail to ops@example.com, dba@example.org was not taken for dba@example.org; 1 of 2 were.',
  });
  expect(server.mails).toHaveLength(1);
  const strict = await startMailServer({ onMailFrom: (_from, _session, done) => done(new Error('sender refused')) });
  expect(await failureOf(deliver(target(strict), messageOf(stale), sending()))).toMatchObject({
    message: expect.stringContaining('(550 sender refused)'),
    hint: expect.stringContaining('Check `to` and `from`'),
  });
});

it('tries a second time when the server has no time at first', async () => {
  let tries = 0;
  const server = await startMailServer({
    onMailFrom: (_from, _session, done) => {
      tries += 1;
      done(tries === 1 ? Object.assign(new Error('try again'), { responseCode: 451 }) : null);
    },
  });
  await deliver(target(server), messageOf(stale), sending());
  expect(tries).toBe(2);
  expect(server.mails).toHaveLength(1);
});

it('ends the connection to a server that stays silent when its time is over', async () => {
  const sockets = new Set<Socket>();
  const stop = new AbortController();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    stop.abort();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const failure = await failureOf(deliver(target({ port }), messageOf(stale), sending({ signal: stop.signal })));
  expect(failure).toMatchObject({ code: 'timed-out' });
  await vi.waitFor(() => expect(sockets.size).toBe(0), 20_000);
});

it('says that nothing listens', async () => {
  const failure = await failureOf(deliver(target({ port: 1 }), messageOf(stale), sending()));
  expect(failure).toMatchObject({
    message: expect.stringContaining('could not be sent by 127.0.0.1:1 (ECONNREFUSED)'),
    hint: expect.stringContaining('Check host and port'),
  });
});
