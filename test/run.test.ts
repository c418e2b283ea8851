import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import type { Report } from '../src/core/report.ts';
import { node } from './e2e/runner.ts';
import { fakeS3, s3Error, xml } from './servers/fake-s3.ts';

const run = promisify(execFile);

/** In a process of its own: a crash in this one would be the test runner's. */
async function runAlone(readInputs: string): Promise<{ report: Pick<Report, 'title' | 'findings'>; log: string[] }> {
  const script = `
    const { runAction } = await import(${JSON.stringify(new URL('../src/run.ts', import.meta.url).href)});
    const log = [];
    const take = (line) => void log.push(line);
    const { report } = await runAction({
      name: 'verify-freshness', stop: new AbortController(), env: process.env, redact: (text) => text,
      log: { info: take, warning: take, debug: take, group: (_, use) => use() },
      readInputs: () => { ${readInputs} },
    });
    process.stdout.write(JSON.stringify({ report, log }), () => process.exit());`;
  const { stdout } = await run(node, ['--input-type=module', '-e', script], {
    timeout: 15_000,
    env: { PATH: '/usr/bin:/bin', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' },
  });
  return JSON.parse(stdout) as Awaited<ReturnType<typeof runAlone>>;
}

async function silentStore(): Promise<string> {
  const server = createServer((socket) => void socket.on('error', () => {}));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return `s3://bucket?region=us-east-1&path-style=true&endpoint=http://127.0.0.1:${port}`;
}

it('calls an error that is no Failure a bug, and logs its stack', async () => {
  const { report, log } = await runAlone("throw new TypeError('oops')");
  expect(report).toMatchObject({
    title: 'verify-freshness could not do its work',
    verdict: 'unknown',
    findings: [{ rule: 'run-failed', message: 'This is a bug in Lifeboat: oops' }],
  });
  expect(log.join('\n')).toMatch(/TypeError: oops\n\s+at /);
});

it('names the source in the title as soon as it is known, and nothing that is no name', async () => {
  const titleOf = async (source: string) =>
    (await runAlone(`return { source: ${JSON.stringify(source)}, timeout: '5' }`)).report.title;
  expect(await titleOf('orders')).toBe('Freshness check of orders could not be done');
  expect(await titleOf('Not a name')).toBe('verify-freshness could not do its work');
});

it('names every problem of the inputs at once, a wrong `timeout` among them', async () => {
  const { report } = await runAlone("return { timeout: '5', 'max-age': '6' }");
  expect(report.findings[0]?.message.split('\n')).toEqual([
    expect.stringMatching(/^`store` is missing/),
    expect.stringMatching(/^`timeout` cannot be "5"/),
    expect.stringMatching(/^`max-age` cannot be "6"/),
  ]);
});

it.each([
  ['an error that nobody caught', "setTimeout(() => { throw new Error('lost') }, 200)"],
  ['a promise that was let go', "setTimeout(() => void Promise.reject(new Error('lost')), 200)"],
])('stops on %s, and shows it as a bug', async (_, crash) => {
  const store = await silentStore();
  const { report } = await runAlone(`${crash}; return { source: '*', store: ${JSON.stringify(store)} }`);
  expect(report.findings[0]?.message).toBe('This is a bug in Lifeboat: lost');
});

it.each([
  ['that was overcome', 2, 2],
  // Of two listings and of the lifecycle rules.
  ['that lasted', 1_000, 9],
])('counts in the report what it tried again after an error %s', async (_, failures, retries) => {
  let calls = 0;
  const s3 = await fakeS3(() => {
    calls += 1;
    return calls <= failures ? s3Error(503, 'SlowDown') : xml('ListBucketResult', '<IsTruncated>false</IsTruncated>');
  });
  onTestFinished(() => s3.close());
  const store = `s3://bucket?region=us-east-1&path-style=true&endpoint=${s3.endpoint}`;
  const { report } = await runAlone(`return { source: '*', store: ${JSON.stringify(store)} }`);
  expect(report.findings.filter(({ rule }) => rule === 'store-retries')).toMatchObject([
    { status: 'pass', numbers: { retries } },
  ]);
});
