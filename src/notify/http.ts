import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../core/failure.ts';

/** What everybody who sends something needs beside it. */
export interface Sending {
  readonly env: NodeJS.ProcessEnv;
  /** Ends the connection, too. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

export interface Post {
  /** Names the receiver in errors, since its URL may be a secret. */
  readonly label: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Seconds to wait before the second try, where an answer says so elsewhere than in `retry-after`. */
  readonly pauseIn?: (answer: Answer) => number | undefined;
}

export interface Answer {
  readonly status: number;
  /** The first 16 KiB. */
  readonly body: string;
  readonly retryAfter: string | undefined;
  readonly location: string | undefined;
}

const PAUSE_MS = 1_000;
/** A longer wait would not end in the time that there is. */
const LONGEST_PAUSE_MS = 20_000;
const MAX_REDIRECTS = 3;
const MAX_ANSWER_BYTES = 16_384;

/**
 * Sends a POST, a second time where the first met a passing trouble: connection reset, 429, 5xx.
 *
 * @returns the answer whatever its status
 * @throws {Failure} `not-delivered`, `timed-out`; never with the URL in it
 */
export async function post(what: Post, sending: Sending): Promise<Answer> {
  try {
    return await trySending(what, sending);
  } catch (error) {
    throw explain(error, what, sending.signal);
  }
}

async function trySending(what: Post, sending: Sending): Promise<Answer> {
  const { signal } = sending;
  const first = await follow(what, sending).catch((error: unknown) => {
    if (signal.aborted || !isPassing(error)) throw error;
    return undefined;
  });
  if (first !== undefined && first.status !== 429 && first.status < 500) return first;
  const pauseMs = first === undefined ? PAUSE_MS : pauseOf(first, what, sending.now());
  if (first !== undefined && pauseMs > LONGEST_PAUSE_MS) return first;
  await sleep(pauseMs, undefined, { signal });
  return follow(what, sending);
}

function pauseOf(answer: Answer, { pauseIn }: Post, now: Date): number {
  const { retryAfter = '' } = answer;
  const seconds = pauseIn?.(answer) ?? (/^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) : undefined);
  const date = Date.parse(retryAfter);
  const ms = seconds === undefined ? date - now.getTime() : seconds * 1_000;
  return Number.isNaN(ms) ? PAUSE_MS : Math.max(ms, PAUSE_MS);
}

/** To another host a redirect would carry secrets; and a POST stays one by 307 and 308 only. */
async function follow(what: Post, sending: Sending, redirects = 0): Promise<Answer> {
  const answer = await once(what, sending);
  if (answer.status < 300 || answer.status > 399) return answer;
  const from = new URL(what.url);
  const to = URL.parse(answer.location ?? '', what.url);
  const isSafe = to?.host === from.host && (to.protocol === from.protocol || to.protocol === 'https:');
  const mayFollow = isSafe && (answer.status === 307 || answer.status === 308) && redirects < MAX_REDIRECTS;
  if (mayFollow) return follow({ ...what, url: to.href }, sending, redirects + 1);
  throw new Failure('not-delivered', `${what.label} redirected to ${to?.host ?? 'nowhere'} (${answer.status}).`, {
    hint: 'Put the address that answers itself into `notify`.',
  });
}

async function once({ label, url, headers, body }: Post, { env, signal }: Sending): Promise<Answer> {
  const isSecure = url.startsWith('https:');
  // Node's own agents ignore `https_proxy`; these honour it.
  const agent = isSecure ? new HttpsAgent({ proxyEnv: env }) : new HttpAgent({ proxyEnv: env });
  const sized = { ...headers, 'user-agent': 'lifeboat', 'content-length': Buffer.byteLength(body) };
  const sent = (isSecure ? requestHttps : requestHttp)(url, { method: 'POST', agent, signal, headers: sized });
  return readAnswer(await responseTo(sent, body, label));
}

/**
 * Sends the body of a request, and waits for the head of what is answered.
 *
 * @throws {Failure} `not-delivered` for a switch to another protocol: node calls that no response, and no error
 */
export async function responseTo(request: ClientRequest, body: string, label: string): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once('response', resolve).on('error', reject);
  request.once('upgrade', ({ statusCode }, socket) => {
    socket.destroy();
    reject(
      new Failure('not-delivered', `${label} answered ${statusCode}: it wants to speak another protocol.`, {
        hint: 'Give the address of a receiver that takes a POST; this one is for something else.',
      }),
    );
  });
  // Whatever else may end a request without a word; after one, this changes nothing.
  request.once('close', () => reject(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })));
  request.end(body);
  return promise;
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) break;
  }
  const body = Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8');
  const { location, 'retry-after': retryAfter } = response.headers;
  return { status: response.statusCode ?? 0, body, location, retryAfter };
}

const PASSING = new Set(['ECONNRESET', 'EPIPE', 'EAI_AGAIN']);

function isPassing(error: unknown): boolean {
  return PASSING.has(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** By the code alone: messages of libraries may hold the URL. */
function explain(error: unknown, { label, url }: Post, signal: AbortSignal): unknown {
  if (error instanceof Failure) return error;
  const { host, protocol } = new URL(url);
  const reach = `Check that this machine reaches ${host}, by \`https_proxy\` and \`no_proxy\` where there is a proxy.`;
  if (signal.aborted)
    return new Failure('timed-out', `${label} did not answer in time.`, { hint: reach, cause: error });
  const code = codeOf(error);
  const isTls = /CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO_/.test(code) && protocol === 'https:';
  const hint = isTls
    ? `Check the certificate of ${host}; one of your own authority needs NODE_EXTRA_CA_CERTS in the environment of the job.`
    : reach;
  return new Failure('not-delivered', `${label} could not be reached${code === '' ? '' : ` (${code})`}.`, {
    hint,
    cause: error,
  });
}

/** Whether it was taken. */
export function isTaken({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

/** A receiver that did not take it: `Slack (hooks.slack.com) answered 404 (no_service).` */
export function notTaken(label: string, { status }: Answer, said: string, hint: string): Failure {
  const busy = `It is out of order or has too much to do; the next run tries again.`;
  const what = said === '' ? '' : ` (${said})`;
  return new Failure('not-delivered', `${label} answered ${status}${what}.`, {
    hint: status === 429 || status >= 500 ? busy : hint,
  });
}
