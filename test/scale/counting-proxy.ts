import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';

/** What was asked of an S3 store, by kind. */
export interface Counts {
  /** Pages of keys. */
  list: number;
  /** Pages of versions and of unfinished uploads, and questions about the bucket. */
  around: number;
  get: number;
  head: number;
  put: number;
  /** Requests that delete; one may hold a thousand keys. */
  remove: number;
}

export interface CountingProxy {
  readonly endpoint: string;
  /** Since the last time it was asked. */
  take(): Counts;
  close(): Promise<void>;
}

/** Passes requests on as they are, the name of the host too, which is part of their signature. */
export async function countingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  let counts = none();
  const server = createServer((asked, answer) => {
    count(counts, asked);
    const passed = request({ hostname, port, method: asked.method, path: asked.url, headers: asked.headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    take: () => {
      const taken = counts;
      counts = none();
      return taken;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function none(): Counts {
  return { list: 0, around: 0, get: 0, head: 0, put: 0, remove: 0 };
}

function count(counts: Counts, { method, url = '' }: IncomingMessage): void {
  const { searchParams: query, pathname } = new URL(url, 'http://proxy');
  const isBucket = pathname.split('/').filter((part) => part !== '').length <= 1;
  if (method === 'DELETE' || query.has('delete')) counts.remove += 1;
  else if (query.get('list-type') === '2') counts.list += 1;
  else if (method === 'GET' && isBucket) counts.around += 1;
  else if (method === 'GET') counts.get += 1;
  else if (method === 'HEAD') counts.head += 1;
  else counts.put += 1;
}
