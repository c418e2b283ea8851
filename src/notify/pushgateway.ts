import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Failure } from '../core/failure.ts';
import type { Sample } from '../core/metrics.ts';
import { clip } from '../core/plain-text.ts';
import { responseTo } from './http.ts';
import { loadMetricsText } from './registry.ts';

export interface Push {
  readonly action: string;
  readonly sources: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Of an answer in a message, in characters. */
const MOST_ANSWER = 500;

/**
 * Pushes samples to a Pushgateway: one group for each source, by job, action and source. POST replaces the metrics of
 * the same name in the group, so what a run did not measure stays.
 *
 * prom-client's own class is not used: it parses URLs in a way that makes node warn on stderr.
 *
 * @param url may hold user and password, which no message shows
 */
export async function pushMetrics(url: string, samples: readonly Sample<string>[], push: Push): Promise<void> {
  const { metricsText } = await loadMetricsText();
  const groups = push.sources.length === 0 ? [undefined] : push.sources;
  for (const source of groups) {
    // The room of a store belongs to no source: it goes with each.
    const own = samples.filter(({ labels, value }) => value !== null && (labels.source ?? source) === source);
    await send('POST', groupUrl(url, push.action, source), await metricsText({ samples: own, help: new Map() }), push);
  }
  // Left by a run that did not even know its sources.
  if (push.sources.length > 0) await send('DELETE', groupUrl(url, push.action, undefined), '', push);
}

/** @see https://github.com/prometheus/pushgateway/blob/master/README.md#url */
function groupUrl(base: string, action: string, source: string | undefined): URL {
  const url = new URL(base);
  const group = ['metrics', 'job', 'lifeboat', 'action', action, ...(source === undefined ? [] : ['source', source])];
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${group.map(encodeURIComponent).join('/')}`;
  return url;
}

async function send(method: 'POST' | 'DELETE', url: URL, text: string, push: Push): Promise<void> {
  try {
    await exchange(method, url, text, push);
  } catch (cause) {
    throw cause instanceof Failure ? cause : unreachable(url, push.signal, cause);
  }
}

async function exchange(method: string, url: URL, text: string, { env, signal }: Push): Promise<void> {
  const isSecure = url.protocol === 'https:';
  const agent = isSecure ? new HttpsAgent({ proxyEnv: env }) : new HttpAgent({ proxyEnv: env });
  const headers = {
    'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  };
  try {
    const request = (isSecure ? httpsRequest : httpRequest)(url, { method, headers, agent, signal });
    await refuseUnless2xx(await responseTo(request, text, `The Pushgateway at ${url.host}`), url);
  } finally {
    agent.destroy();
  }
}

async function refuseUnless2xx(response: IncomingMessage, url: URL): Promise<void> {
  const { statusCode = 0 } = response;
  let answer = '';
  for await (const chunk of response.setEncoding('utf8')) if (answer.length <= MOST_ANSWER) answer += String(chunk);
  if (statusCode >= 200 && statusCode < 300) return;
  const said = answer.trim() === '' ? '' : `: ${clip(answer.trim(), MOST_ANSWER)}`;
  throw new Failure('tool-failed', `The Pushgateway at ${url.host} answered ${statusCode}${said}`, {
    hint:
      statusCode === 401 || statusCode === 403
        ? 'Put a user and a password that it knows into `pushgateway-url`.'
        : 'Check `pushgateway-url`: it ends where `/metrics/job/…` begins.',
  });
}

/** By the code alone: messages of libraries may hold the URL, and that of a proxy. */
function unreachable(url: URL, signal: AbortSignal, cause: unknown): Failure {
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  const why = signal.aborted ? ': it did not answer in time' : code;
  return new Failure('tool-failed', `The Pushgateway at ${url.host} could not be reached${why}.`, {
    cause,
    hint: 'Check `pushgateway-url`, and that this runner may reach it, by `https_proxy` and `no_proxy` where there is a proxy.',
  });
}
