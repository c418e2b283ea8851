import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly port: number;
  /** `127.0.0.1:12345` */
  readonly host: string;
  readonly received: Received[];
  /** Connections that are open. */
  connections(): number;
}

export interface Reply {
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the receiver does with the request of this number, from 0: answer, stay silent, hang up. */
export type Behaviour = (at: number, request: Received) => Reply | 'silence' | 'reset';

/** A real HTTP server that writes down what it gets. */
export async function startReceiver(
  behave: Behaviour = () => ({}),
  wrap: (listener: RequestListener) => Server = (listener) => createServer(listener),
): Promise<Receiver> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const server: Server = wrap((request, response) => {
    void text(request).then(
      (body) => {
        const { method = '', url = '', headers } = request;
        received.push({ method, url, headers, body });
        respond(response, behave(received.length - 1, { method, url, headers, body }));
      },
      () => {}, // The sender hung up.
    );
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, host: `127.0.0.1:${port}`, received, connections: () => sockets.size };
}

function respond(response: ServerResponse, reply: Reply | 'silence' | 'reset'): void {
  if (reply === 'silence') return;
  if (reply === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  response.writeHead(reply.status ?? 200, reply.headers).end(reply.body ?? 'ok');
}
