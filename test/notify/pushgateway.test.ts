import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Sample } from '../../src/core/metrics.ts';
import { finding, type Report, report } from '../../src/core/report.ts';
import { keepMetrics } from '../../src/notify/metrics-file.ts';
import { at } from '../fixtures.ts';
import { startPushgateway, type TestPushgateway, whyNoPrometheus } from '../servers/prometheus.ts';
import { readExposition, seriesValue } from './exposition.ts';
import { startSwitching } from './switching.ts';

const store = 'file:///srv/backups';
const bytes = (source: string, value: number): Sample => ({
  name: 'lifeboat_backup_bytes',
  labels: { source, store },
  value,
});
const room: Sample = { name: 'lifeboat_store_free_bytes', labels: { store }, value: 7 };

function reportOf(status: 'pass' | 'fail' | 'unknown', sources: readonly string[], metrics: readonly Sample[]): Report {
  return report('Freshness', [finding('backup-age', status, 'Looked at.')], { sources, metrics });
}

async function push(
  url: string,
  of: Report,
  moment = '2026-11-21T12:00:00Z',
  signal = AbortSignal.timeout(30_000),
  env = {},
) {
  const given = { 'pushgateway-url': url };
  const ways = keepMetrics(of, { action: 'verify-freshness', given, env, now: () => at(moment) });
  expect(ways.map(({ what }) => what)).toEqual(['push of the metrics']);
  for (const { send } of ways) await send(signal);
}

describe.skipIf(whyNoPrometheus())('a real Pushgateway', () => {
  let gateway: TestPushgateway;

  beforeAll(async () => {
    gateway = await startPushgateway();
  });
  afterAll(async () => {
    await gateway?.stop();
  });

  async function scraped() {
    const lines = (await gateway.scrape()).split('\n').filter((line) => /^(# \w+ )?lifeboat_/.test(line));
    const own = readExposition(lines.map((line) => `${line}\n`).join(''));
    const group = { job: 'lifeboat', instance: '', action: 'verify-freshness' };
    return (name: string, labels: Record<string, string>) =>
      seriesValue(own, `lifeboat_${name}`, { ...group, ...labels });
  }

  it('has a group for each source, and keeps what a failed run did not measure', async () => {
    const good = reportOf('pass', ['orders', 'ledger'], [bytes('orders', 5), bytes('ledger', 6), room]);
    await push(gateway.url, good);
    await push(`${gateway.url}/`, reportOf('unknown', ['orders'], []), '2026-11-22T12:00:00Z');
    const value = await scraped();
    expect(value('backup_bytes', { source: 'orders', store })).toBe(5);
    expect(value('backup_bytes', { source: 'ledger', store })).toBe(6);
    expect(value('store_free_bytes', { source: 'ledger', store })).toBe(7);
    expect(value('verdict', { source: 'orders', verdict: 'unknown' })).toBe(1);
    expect(value('verdict', { source: 'orders', verdict: 'pass' })).toBe(0);
    expect(value('verdict', { source: 'ledger', verdict: 'pass' })).toBe(1);
    const last = value('last_run_timestamp_seconds', { source: 'orders' }) ?? 0;
    expect(last - (value('last_success_timestamp_seconds', { source: 'orders' }) ?? 0)).toBe(86_400);
  });

  it('forgets a run that did not know its sources as soon as one does', async () => {
    await push(gateway.url, reportOf('unknown', [], []));
    expect((await scraped())('verdict', { verdict: 'unknown' })).toBe(1);
    await push(gateway.url, reportOf('pass', ['orders'], []));
    expect((await scraped())('verdict', { verdict: 'unknown' })).toBeUndefined();
  });
});

async function receiver(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('what goes wrong', () => {
  const one = reportOf('pass', ['orders'], [bytes('orders', 5)]);

  it('user and password of the URL are sent, below the path it names, and shown in no message', async () => {
    const seen: string[] = [];
    const host = await receiver((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      response.writeHead(401).end('who are you?');
    });
    const failing = push(`http://ops:s3cr%40t@${host}/push/`, one);
    await expect(failing).rejects.toMatchObject({
      code: 'tool-failed',
      message: `The Pushgateway at ${host} answered 401: who are you?`,
      hint: 'Put a user and a password that it knows into `pushgateway-url`.',
    });
    const basic = Buffer.from('ops:s3cr@t').toString('base64');
    const path = '/push/metrics/job/lifeboat/action/verify-freshness/source/orders';
    expect(seen).toEqual([`POST ${path} Basic ${basic}`]);
  });

  it('a gateway that never answers is given up', async () => {
    const host = await receiver(() => {});
    const failing = push(`http://${host}`, one, undefined, AbortSignal.timeout(200));
    await expect(failing).rejects.toMatchObject({ message: expect.stringContaining('it did not answer in time') });
  });

  it('one that answers without end is given up, too', async () => {
    const host = await receiver((_request, response) => void response.writeHead(200).write('x'));
    const failing = push(`http://${host}`, one, undefined, AbortSignal.timeout(200));
    await expect(failing).rejects.toMatchObject({ message: expect.stringContaining('it did not answer in time') });
  });

  it('one that wants to speak another protocol is given up', async () => {
    const { host } = await startSwitching();
    await expect(push(`http://ops:secret@${host}`, one)).rejects.toMatchObject({
      message: `The Pushgateway at ${host} answered 101: it wants to speak another protocol.`,
    });
  });

  it('one that is not there is named without its password', async () => {
    const failing = push('http://ops:secret@127.0.0.1:9', one);
    await expect(failing).rejects.toMatchObject({
      message: 'The Pushgateway at 127.0.0.1:9 could not be reached (ECONNREFUSED).',
    });
  });

  it('a proxy whose address is none is not named: it may hold a password', async () => {
    const env = { https_proxy: 'http://bob:S3cretProxyPw@prox y:bad' };
    const failing = push('https://gateway.example', one, undefined, undefined, env);
    await expect(failing).rejects.toMatchObject({
      code: 'tool-failed',
      message: 'The Pushgateway at gateway.example could not be reached (ERR_PROXY_INVALID_CONFIG).',
      hint: expect.stringContaining('`https_proxy`'),
    });
  });
});
