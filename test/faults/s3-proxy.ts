import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export type S3Operation =
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'PutObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'ListObjects'
  | 'other';

export interface S3Request {
  readonly operation: S3Operation;
  /** Below the bucket. */
  readonly key: string;
  /** Of all requests, from 1. */
  readonly number: number;
  /** The how manieth of its operation, from 1; trying again counts. */
  readonly ofOperation: number;
  /** The how manieth time that this very request comes. */
  readonly attempt: number;
}

/** What the proxy does with one request instead of passing it on. */
export type Misdeed =
  | { readonly do: 'answer'; readonly status: number; readonly code: string; readonly forwarded?: boolean }
  /** The connection is cut in the middle of the request's body, or before the answer. */
  | { readonly do: 'reset' }
  /** Nothing is read any more, nothing is answered; `half`: once half of the request's or the answer's body has passed. */
  | { readonly do: 'stall'; readonly after?: 'half' }
  /** The answer's body ends after half of its bytes. */
  | { readonly do: 'truncate' }
  /** One byte is another one. */
  | { readonly do: 'flip'; readonly what: 'request' | 'answer' };

export interface S3Proxy {
  readonly endpoint: string;
  readonly seen: readonly S3Request[];
  /** How many misdeeds were done. */
  readonly done: () => number;
  close(): Promise<void>;
}

const MAX_FLIP = 1000;

/**
 * A proxy that is the endpoint: signatures cover the Host header, which goes on as it came. Bodies are
 * held in memory, a part at a time.
 */
export async function s3Proxy(to: string, decide: (one: S3Request) => Misdeed | undefined): Promise<S3Proxy> {
  const seen: S3Request[] = [];
  const agent = new Agent({ keepAlive: true });
  let done = 0;
  const server = createServer((incoming, outgoing) => {
    const one = describe(incoming, seen);
    seen.push(one);
    const misdeed = decide(one);
    if (misdeed !== undefined) done += 1;
    void serve({ to, agent, incoming, outgoing }, misdeed).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = async () => {
    server.closeAllConnections();
    agent.destroy();
    await new Promise((closed) => server.close(closed));
  };
  return { endpoint: `http://127.0.0.1:${port}`, seen, done: () => done, close };
}

interface Exchange {
  readonly to: string;
  readonly agent: Agent;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

async function serve(exchange: Exchange, misdeed: Misdeed | undefined): Promise<void> {
  const { incoming, outgoing } = exchange;
  if (misdeed?.do === 'stall') return misdeed.after === 'half' ? stallHalfWay(exchange) : undefined;
  if (misdeed?.do === 'reset') {
    if (Number(incoming.headers['content-length'] ?? 0) > 0) await once(incoming, 'data');
    incoming.socket.resetAndDestroy();
    return;
  }
  const body = await buffer(incoming);
  if (misdeed?.do === 'answer') {
    if (misdeed.forwarded === true) await forward(exchange, body);
    return answerError(incoming, outgoing, misdeed);
  }
  const answer = await forward(exchange, misdeed?.do === 'flip' && misdeed.what === 'request' ? flipped(body) : body);
  const isFlipped = misdeed?.do === 'flip' && misdeed.what === 'answer';
  outgoing.writeHead(answer.status, answer.headers);
  if (misdeed?.do === 'truncate')
    outgoing.write(answer.body.subarray(0, answer.body.length / 2), () => outgoing.destroy());
  else outgoing.end(isFlipped ? flipped(answer.body) : answer.body);
}

/** An upload is not read any further, a download not written. */
async function stallHalfWay(exchange: Exchange): Promise<void> {
  const { incoming, outgoing } = exchange;
  const half = Number(incoming.headers['content-length'] ?? 0) / 2;
  if (half > 0) {
    let read = 0;
    incoming.on('data', (chunk: Buffer) => {
      read += chunk.length;
      if (read >= half) incoming.pause();
    });
    return;
  }
  const answer = await forward(exchange, Buffer.alloc(0));
  outgoing.writeHead(answer.status, answer.headers);
  outgoing.write(answer.body.subarray(0, answer.body.length / 2));
}

async function forward({ to, agent, incoming }: Exchange, body: Buffer) {
  const { method, headers, url } = incoming;
  const { expect: _, connection: __, ...rest } = headers;
  const sending = request(new URL(url ?? '/', to), { agent, ...(method && { method }), headers: rest });
  sending.end(body);
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  const { connection: ___, 'transfer-encoding': ____, ...answered } = response.headers;
  return { status: response.statusCode ?? 500, headers: answered, body: await buffer(response) };
}

function answerError(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, code }: { status: number; code: string },
): void {
  const message = `The ${code} message.`;
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  outgoing.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length });
  outgoing.end(incoming.method === 'HEAD' ? undefined : body);
}

function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  const at = Math.min(Math.floor(copy.length / 2), MAX_FLIP);
  if (copy.length > 0) copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

function describe(incoming: IncomingMessage, seen: readonly S3Request[]): S3Request {
  const url = new URL(incoming.url ?? '/', 'http://proxy');
  const [, , ...path] = decodeURIComponent(url.pathname).split('/');
  const key = path.join('/');
  const operation = operationOf(incoming.method ?? '', key, url.searchParams);
  const { range = '', 'content-md5': md5 = '', 'x-amz-checksum-crc32': crc = '' } = incoming.headers;
  // Two deletions differ in their bodies alone, and so in its checksum.
  const name = `${operation} ${incoming.url} ${range} ${md5} ${crc}`;
  const described = { operation, key, number: seen.length + 1, name };
  const same = (seen as readonly (S3Request & { name: string })[]).filter((one) => one.name === name).length;
  const ofOperation = seen.filter((one) => one.operation === operation).length + 1;
  return { ...described, attempt: same + 1, ofOperation } as S3Request;
}

function operationOf(method: string, key: string, query: URLSearchParams): S3Operation {
  if (key === '' && query.get('list-type') === '2') return 'ListObjects';
  if (key === '') return query.has('delete') ? 'DeleteObjects' : 'other';
  if (method === 'PUT') return query.has('partNumber') ? 'UploadPart' : 'PutObject';
  if (method === 'POST' && query.has('uploads')) return 'CreateMultipartUpload';
  if (method === 'POST' && query.has('uploadId')) return 'CompleteMultipartUpload';
  if (method === 'DELETE') return query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  if (method === 'GET' && !query.has('uploadId')) return 'GetObject';
  return method === 'HEAD' ? 'HeadObject' : 'other';
}
