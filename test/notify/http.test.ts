import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { expect, it, vi } from 'vitest';
import { post } from '../../src/notify/http.ts';
import { makeCertificate } from './certificate.ts';
import { type Reply, startReceiver } from './receiver.ts';
import { sending } from './samples.ts';
import { startSwitching } from './switching.ts';

const SECRET = '/s3cr3t-path';
const to = (host: string) => ({ label: 'Test (x)', url: `http://${host}${SECRET}`, headers: {}, body: 'héllo' });

it('posts the body whole, and gives back whatever was answered', async () => {
  const receiver = await startReceiver(() => ({ status: 404, body: 'no_service' }));
  const answer = await post({ ...to(receiver.host), headers: { 'x-a': 'b' } }, sending());
  expect(answer).toMatchObject({ status: 404, body: 'no_service' });
  expect(receiver.received).toMatchObject([
    { method: 'POST', url: SECRET, body: 'héllo', headers: { 'x-a': 'b', 'content-length': '6' } },
  ]);
});

it.each([
  ['a server in trouble', { status: 503 }],
  ['a server with too much to do', { status: 429, headers: { 'retry-after': '0' } }],
  ['a connection that was reset', 'reset'],
] as const)('tries a second time after %s', async (_what, first) => {
  const receiver = await startReceiver((at) => (at === 0 ? first : { status: 200 }));
  expect((await post(to(receiver.host), sending())).status).toBe(200);
  expect(receiver.received).toHaveLength(2);
});

it('tries no third time', async () => {
  const receiver = await startReceiver(() => ({ status: 500 }));
  expect((await post(to(receiver.host), sending())).status).toBe(500);
  expect(receiver.received).toHaveLength(2);
});

it.each(['86400', 'Wed, 21 Oct 2099 07:28:00 GMT'])('does not wait for what is too far away: %s', async (later) => {
  const receiver = await startReceiver(() => ({ status: 429, headers: { 'retry-after': later } }));
  expect((await post(to(receiver.host), sending())).status).toBe(429);
  expect(receiver.received).toHaveLength(1);
});

it('ends the connection when its time is over', async () => {
  const stop = new AbortController();
  const receiver = await startReceiver(() => {
    stop.abort();
    return 'silence';
  });
  const sent = post(to(receiver.host), sending({ signal: stop.signal }));
  await expect(sent).rejects.toMatchObject({ code: 'timed-out', message: 'Test (x) did not answer in time.' });
  await vi.waitFor(() => expect(receiver.connections()).toBe(0), 20_000);
});

it('gives up who wants to speak another protocol', async () => {
  const server = await startSwitching();
  const closed = once(server.events, 'closed');
  await expect(post(to(server.host), sending())).rejects.toMatchObject({
    code: 'not-delivered',
    message: 'Test (x) answered 101: it wants to speak another protocol.',
    hint: expect.stringContaining('takes a POST'),
  });
  await closed;
});

it('does not go on waiting for a second try when its time is over', async () => {
  const stop = new AbortController();
  const receiver = await startReceiver(() => {
    setImmediate(() => stop.abort());
    return { status: 429, headers: { 'retry-after': '19' } };
  });
  await expect(post(to(receiver.host), sending({ signal: stop.signal }))).rejects.toMatchObject({ code: 'timed-out' });
  expect(receiver.received).toHaveLength(1);
});

it('follows a redirect on the same host that keeps the POST, and no other', async () => {
  const redirect = (status: number, location: string): Reply => ({ status, headers: { location } });
  const near = await startReceiver((at) => (at === 0 ? redirect(307, '/elsewhere') : {}));
  expect((await post(to(near.host), sending())).status).toBe(200);
  expect(near.received.map(({ url, body }) => url + body)).toEqual([`${SECRET}héllo`, '/elsewherehéllo']);
  const other = await startReceiver();
  const away = await startReceiver(() => redirect(307, `http://${other.host}${SECRET}`));
  const failure = await post(to(away.host), sending()).catch((error: unknown) => error);
  expect(failure).toMatchObject({ message: `Test (x) redirected to ${other.host} (307).` });
  expect(other.received).toEqual([]);
  const turned = await startReceiver(() => redirect(302, '/login'));
  await expect(post(to(turned.host), sending())).rejects.toMatchObject({ code: 'not-delivered' });
  const endless = await startReceiver(() => redirect(308, SECRET));
  await expect(post(to(endless.host), sending())).rejects.toMatchObject({ code: 'not-delivered' });
  expect(endless.received).toHaveLength(4);
});

it('goes by a proxy where the environment names one, and past it where that says so', async () => {
  const proxy = await startReceiver();
  const receiver = await startReceiver();
  const env = { http_proxy: `http://${proxy.host}`, no_proxy: '127.0.0.1' };
  await post({ ...to('receiver.invalid'), url: 'http://receiver.invalid/hook' }, sending({ env }));
  expect(proxy.received.map(({ url }) => url)).toEqual(['http://receiver.invalid/hook']);
  await post(to(receiver.host), sending({ env }));
  expect(proxy.received).toHaveLength(1);
  expect(receiver.received).toHaveLength(1);
});

it('says what cannot be reached without the path', async () => {
  const failure = await post(to('127.0.0.1:1'), sending()).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'not-delivered',
    message: 'Test (x) could not be reached (ECONNREFUSED).',
    hint: expect.stringContaining('Check that this machine reaches 127.0.0.1:1'),
  });
  expect(JSON.stringify(failure) + String(failure)).not.toContain(SECRET);
});

it('trusts no certificate that nobody vouches for', async () => {
  const { key, cert } = makeCertificate();
  const receiver = await startReceiver(undefined, (listener) => createTlsServer({ key, cert }, listener));
  const url = `https://${receiver.host}${SECRET}`;
  await expect(post({ ...to(''), url }, sending())).rejects.toMatchObject({
    message: 'Test (x) could not be reached (DEPTH_ZERO_SELF_SIGNED_CERT).',
    hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
  });
  expect(receiver.received).toEqual([]);
});
