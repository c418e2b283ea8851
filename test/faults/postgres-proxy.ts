import { once } from 'node:events';
import { createServer, Socket } from 'node:net';

export interface PostgresProxy {
  readonly port: number;
  /** Cuts the connection that the server sees coming from this port; false when there is none. */
  cut(clientPort: number): boolean;
  cutAll(): void;
  /** From now on nothing passes in either direction, and nobody hangs up. */
  fallSilent(): void;
  close(): void;
}

/** Stands before a server and lets everything pass, until it is told otherwise. */
export async function postgresProxy(to: number): Promise<PostgresProxy> {
  const pairs = new Set<{ client: Socket; upstream: Socket }>();
  let isSilent = false;
  const forward = (from: Socket, other: Socket) => {
    from.on('data', (chunk) => {
      if (isSilent || !other.write(chunk)) from.pause();
    });
    other.on('drain', () => isSilent || from.resume());
    from.on('error', () => {}).on('close', () => other.destroy());
  };
  const server = createServer((client) => {
    const pair = { client, upstream: new Socket().connect(to, '127.0.0.1') };
    pairs.add(pair);
    client.on('close', () => pairs.delete(pair));
    forward(client, pair.upstream);
    forward(pair.upstream, client);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const cutOne = ({ client, upstream }: { client: Socket; upstream: Socket }) => {
    client.resetAndDestroy();
    upstream.resetAndDestroy();
  };
  const cutAll = () => {
    for (const pair of pairs) cutOne(pair);
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut: (clientPort) => {
      const found = [...pairs].find(({ upstream }) => upstream.localPort === clientPort);
      if (found !== undefined) cutOne(found);
      return found !== undefined;
    },
    cutAll,
    fallSilent: () => {
      isSilent = true;
    },
    close: () => {
      cutAll();
      server.close();
    },
  };
}
