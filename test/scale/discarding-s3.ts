import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Discarded {
  /** Bytes of each part, by number, of the largest object. */
  readonly parts: readonly number[];
  readonly bytes: number;
}

interface Kept {
  readonly bytes: number;
  readonly tag: string;
  /** Of small objects only: manifests and records are read back. */
  readonly body?: Buffer;
}

const SMALL = 1 << 20;

/** An S3 that takes every byte, says what it was, and keeps only small objects: what is measured is the sender. */
export async function discardingS3() {
  const objects = new Map<string, Kept>();
  const uploads = new Map<string, Map<number, { bytes: number; md5: Buffer }>>();
  let largest: Discarded = { parts: [], bytes: 0 };

  const finish = (key: string, id: string) => {
    const parts = [...(uploads.get(id) ?? [])].sort(([a], [b]) => a - b).map(([, part]) => part);
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const tag = `${createHash('md5')
      .update(Buffer.concat(parts.map(({ md5 }) => md5)))
      .digest('hex')}-${parts.length}`;
    if (bytes > largest.bytes) largest = { parts: parts.map((part) => part.bytes), bytes };
    objects.set(key, { bytes, tag });
    return tag;
  };

  const put = async (request: IncomingMessage, response: ServerResponse, key: string, query: URLSearchParams) => {
    const md5 = createHash('md5');
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      md5.update(chunk);
      bytes += chunk.length;
      if (bytes <= SMALL) chunks.push(chunk);
    }
    const digest = md5.digest();
    const tag = digest.toString('hex');
    const id = query.get('uploadId');
    if (id !== null) uploads.get(id)?.set(Number(query.get('partNumber')), { bytes, md5: digest });
    else objects.set(key, { bytes, tag, ...(bytes <= SMALL && { body: Buffer.concat(chunks) }) });
    response.writeHead(200, { etag: `"${tag}"` }).end();
  };

  const post = async (request: IncomingMessage, response: ServerResponse, key: string, query: URLSearchParams) => {
    await buffer(request);
    const id = query.get('uploadId');
    if (query.has('delete')) return xml(response, 'DeleteResult', '');
    if (id !== null) return xml(response, 'CompleteMultipartUploadResult', `<ETag>"${finish(key, id)}"</ETag>`);
    const made = `upload-${uploads.size}`;
    uploads.set(made, new Map());
    return xml(response, 'InitiateMultipartUploadResult', `<UploadId>${made}</UploadId>`);
  };

  const server = createServer((request, response) => {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://s3');
    const key = decodeURIComponent(pathname);
    const { method } = request;
    if (method === 'PUT') return void put(request, response, key, query);
    if (method === 'POST') return void post(request, response, key, query);
    if (method === 'DELETE') return void response.writeHead(204).end();
    const found = objects.get(key);
    if (found !== undefined) {
      response.writeHead(200, { etag: `"${found.tag}"`, 'content-length': found.bytes });
      return void response.end(method === 'GET' ? found.body : undefined);
    }
    if (method === 'HEAD') return void response.writeHead(404).end();
    return xml(response, query.has('uploads') ? 'ListMultipartUploadsResult' : 'ListBucketResult', '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    largest: () => largest,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function xml(response: ServerResponse, root: string, content: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?><${root}>${content}</${root}>`);
}
