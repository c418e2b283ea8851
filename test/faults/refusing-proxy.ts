import { once } from 'node:events';
import { createServer, Socket } from 'node:net';

/** How a connection is refused: cut at once, or with what a server says that cannot take it yet. */
export type Refusal = 'reset' | { readonly state: string; readonly message: string };

export const STARTING: Refusal = { state: '57P03', message: 'the database system is starting up' };
export const CROWDED: Refusal = { state: '53300', message: 'sorry, too many clients already' };

export interface RefusingProxy {
  readonly port: number;
  /** Connections refused so far. */
  readonly refused: () => number;
  close(): Promise<void>;
}

/** Stands before a server, refuses the first connections and lets all others through. Speaks no TLS. */
export async function refusingProxy(to: number, times: number, refusal: Refusal): Promise<RefusingProxy> {
  const sockets = new Set<Socket>();
  let refused = 0;
  const server = createServer((client) => {
    sockets.add(client.on('error', () => {}).on('close', () => sockets.delete(client)));
    if (refused < times) {
      refused += 1;
      refuse(client, refusal);
      return;
    }
    const upstream = new Socket().connect(to, '127.0.0.1');
    sockets.add(upstream.on('error', () => {}).on('close', () => sockets.delete(upstream)));
    client.pipe(upstream).pipe(client);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  };
  return { port: typeof address === 'object' && address !== null ? address.port : 0, refused: () => refused, close };
}

const SSL_REQUEST = 80877103;

function refuse(client: Socket, refusal: Refusal): void {
  client.on('data', (chunk) => {
    if (refusal === 'reset') client.resetAndDestroy();
    else if (chunk.length >= 8 && chunk.readInt32BE(4) === SSL_REQUEST) client.write('N');
    else client.end(errorResponse(refusal));
  });
}

/** As in "Message Formats" of PostgreSQL's manual. */
function errorResponse({ state, message }: { state: string; message: string }): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${state}\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
