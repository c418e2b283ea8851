import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { ProbeAnswer } from '../core/application.ts';
import { formatDuration } from '../core/duration.ts';
import { UNTRUSTED } from '../core/untrusted.ts';

export interface ProbeOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly withinMs: number;
}

/** One GET; only the head of the answer is read. Never rejects but with the signal's reason. */
export async function probe(url: string, { env, signal, withinMs }: ProbeOptions): Promise<ProbeAnswer> {
  const late = AbortSignal.timeout(Math.max(1, withinMs));
  try {
    return { status: await statusOf(url, env, AbortSignal.any([signal, late])) };
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) return { problem: `gave no answer in ${formatDuration(withinMs)}` };
    return { problem: describe(codeOf(error)) };
  }
}

async function statusOf(url: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const isSecure = url.startsWith('https:');
  // Node's own agents ignore `https_proxy`; these honour it. A connection of its own: the next try may meet another server.
  const agent = isSecure ? new HttpsAgent({ proxyEnv: env }) : new HttpAgent({ proxyEnv: env });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const sent = (isSecure ? requestHttps : requestHttp)(url, {
    method: 'GET',
    agent,
    signal,
    headers: { 'user-agent': 'lifeboat' },
  });
  sent.once('response', ({ statusCode = 0 }) => resolve(statusCode)).on('error', reject);
  sent.once('close', () => reject(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })));
  sent.end();
  try {
    return await promise;
  } finally {
    sent.destroy();
    agent.destroy();
  }
}

function describe(code: string): string {
  if (!UNTRUSTED.test(code)) return `could not be reached (${code})`;
  return `has a certificate that is not trusted (${code}: give its CA in NODE_EXTRA_CA_CERTS)`;
}

/** By the code alone: messages of libraries may hold the URL. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
