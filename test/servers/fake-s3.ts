import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** Cuts the connection after the body, whatever Content-Length promised. */
  readonly cut?: boolean;
  /** Takes the request and never answers. */
  readonly hang?: boolean;
}

/** An HTTP server that misbehaves as it is told; for the answers that a healthy gateway never gives. */
export async function fakeS3(answer: (asked: Asked) => Answer) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request).catch(() => Buffer.alloc(0));
    const url = new URL(request.url ?? '/', 'http://fake');
    const { method = '', headers } = request;
    const one = { method, path: decodeURIComponent(url.pathname), query: url.searchParams, headers, body };
    asked.push(one);
    respond(response, answer(one));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  return { endpoint: `http://127.0.0.1:${port}`, port, asked, close };
}

/** An error as S3 writes it. */
export function s3Error(status: number, code: string, message = `The ${code} message.`): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body };
}

export function xml(root: string, content: string): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><${root}>${content}</${root}>`;
  return { headers: { 'content-type': 'application/xml' }, body };
}

function respond(response: ServerResponse, { status = 200, headers = {}, body = '', cut, hang }: Answer): void {
  if (hang === true) return;
  response.writeHead(status, headers);
  if (cut === true) response.write(body, () => response.destroy());
  else response.end(body);
}
