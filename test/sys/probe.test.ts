import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { probe } from '../../src/sys/probe.ts';
import { makeCertificate } from '../notify/certificate.ts';

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const options = { env: {}, signal: new AbortController().signal, withinMs: 5_000 };

it.each([200, 204, 302, 503])('gives the status %i as it came, and follows nothing', async (status) => {
  const url = await serve((_, answer) => void answer.writeHead(status, { location: 'http://127.0.0.1:9/' }).end('x'));
  expect(await probe(url, options)).toEqual({ status });
});

it('does not wait for the end of an answer that never ends', async () => {
  const url = await serve((_, answer) => void answer.write('and on'));
  expect(await probe(url, options)).toEqual({ status: 200 });
});

it('says why there was no answer', async () => {
  const silent = await serve(() => {});
  expect(await probe(silent, { ...options, withinMs: 50 })).toEqual({ problem: 'gave no answer in 50ms' });
  expect(await probe('http://127.0.0.1:9/', options)).toEqual({ problem: 'could not be reached (ECONNREFUSED)' });
  const rude = await serve(({ socket }) => void socket.destroy());
  expect(await probe(rude, options)).toEqual({ problem: 'could not be reached (ECONNRESET)' });
});

it('says that a certificate is not trusted, and where its CA goes', async () => {
  const server = createSecureServer(makeCertificate(), (_, answer) => void answer.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  expect(await probe(url, options)).toEqual({
    problem: 'has a certificate that is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT: give its CA in NODE_EXTRA_CA_CERTS)',
  });
});

it('goes through a proxy where there is one', async () => {
  const asked: string[] = [];
  const proxy = await serve(({ url = '' }, answer) => {
    asked.push(url);
    answer.end();
  });
  const env = { http_proxy: proxy, no_proxy: '' };
  expect(await probe('http://shop.example/health', { ...options, env })).toEqual({ status: 200 });
  expect(asked).toEqual(['http://shop.example/health']);
});

it('ends at once when the run is stopped', async () => {
  const url = await serve(() => {});
  const stop = new AbortController();
  const asking = probe(url, { ...options, signal: stop.signal });
  stop.abort(new Error('stopped'));
  await expect(asking).rejects.toThrow('stopped');
});
