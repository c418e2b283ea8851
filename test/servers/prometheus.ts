import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Where scripts/setup.sh unpacks them. */
const unpacked = resolve(import.meta.dirname, '../../node_modules/.cache/prometheus/usr/bin');

/** Path of promtool or prometheus-pushgateway; undefined when it is not on this machine. */
export function prometheusProgram(name: 'promtool' | 'prometheus-pushgateway'): string | undefined {
  return [...(process.env.PATH ?? '').split(':'), unpacked].map((folder) => join(folder, name)).find(isExecutable);
}

/** Why tests with Prometheus' own programs cannot run here, or undefined. With LIFEBOAT_TEST_REQUIRE_ALL=1 that is an error. */
export function whyNoPrometheus(): string | undefined {
  const names = ['promtool', 'prometheus-pushgateway'] as const;
  const missing = names.filter((name) => prometheusProgram(name) === undefined);
  if (missing.length === 0) return undefined;
  const why = `${missing.join(', ')} not found: bash scripts/setup.sh test unpacks them from Debian's packages`;
  if (process.env.LIFEBOAT_TEST_REQUIRE_ALL === '1') throw new Error(why);
  console.warn(`Skipped, needs programs of Prometheus: ${why}`);
  return why;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface TestPushgateway {
  readonly url: string;
  /** What a Prometheus server would get. */
  scrape(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a real Pushgateway on a free port. */
export async function startPushgateway(): Promise<TestPushgateway> {
  const port = await freePort();
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  const child = spawn(prometheusProgram('prometheus-pushgateway') ?? '', [listen], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  const scrape = async () => (await fetch(`${url}/metrics`)).text();
  await untilReady(child, scrape);
  const stop = async () => {
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  };
  return { url, scrape, stop };
}

async function untilReady(child: ChildProcess, ask: () => Promise<string>): Promise<void> {
  while (child.exitCode === null) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return;
    await delay(50);
  }
  throw new Error(`The Pushgateway ended with ${child.exitCode}.`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
