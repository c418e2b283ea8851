import { once } from 'node:events';
import { createServer, type Server, Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A proxy that stops forwarding, and does not hang up: what a dead host or a broken switch looks like. */
export async function silentProxy(to: number, { afterBytes }: { afterBytes: number }): Promise<{ port: number }> {
  let bytes = 0;
  return listen((client, connect) => {
    const server = connect(to);
    const forward = (from: Socket, other: Socket) =>
      from.on('data', (chunk) => {
        bytes += chunk.length;
        if (bytes > afterBytes) from.pause();
        else other.write(chunk);
      });
    forward(client, server);
    forward(server, client);
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  });
}

/** Sends each statement of one client to another of two backends, as pgbouncer does between transactions. */
export async function transactionPooler(to: number): Promise<{ port: number }> {
  return listen((client, connect) => {
    const backends = [connect(to), connect(to)];
    const greetings = new Map<Socket, Buffer>();
    let turn = 0;
    for (const backend of backends) {
      backend.on('data', (answer) => {
        if (greetings.size === backends.length) return void client.write(answer);
        // Both are greeted with the same words; the first one's answer is the answer of both.
        if (endsReady(answer)) greetings.set(backend, answer);
        else if (backend === backends[0]) client.write(answer);
        const [first] = backends.map((one) => greetings.get(one));
        if (greetings.size === backends.length && first !== undefined) client.write(first);
      });
      backend.on('close', () => client.destroy());
    }
    client.on('data', (chunk) => {
      if (asksForEncryption(chunk)) return void client.write('N');
      if (chunk[0] === 'Q'.charCodeAt(0)) turn += 1;
      const isGreeting = greetings.size < backends.length;
      for (const [at, backend] of backends.entries()) {
        if (isGreeting || at === turn % backends.length) backend.write(chunk);
      }
    });
    client.on('close', () => {
      for (const backend of backends) backend.destroy();
    });
  });
}

/** Refuses a client that names `options`, as PgBouncer does where it is not told to ignore them. */
export async function strictPooler(to: number): Promise<{ port: number }> {
  return listen((client, connect) => {
    client.on('data', (chunk) => {
      if (asksForEncryption(chunk)) return void client.write('N');
      if (chunk.includes('\0options\0'))
        return void client.end(fatal('08P01', 'unsupported startup parameter: options'));
      const server = connect(to);
      client.removeAllListeners('data');
      server.write(chunk);
      client.pipe(server).pipe(client);
    });
  });
}

/** ErrorResponse: `E`, four bytes of length, fields of a letter and a text each, an end. */
function fatal(state: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${state}\0M${message}\0\0`);
  const head = Buffer.from('E\0\0\0\0');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** SSLRequest or GSSENCRequest. A server that got one with more behind it would hang up. */
function asksForEncryption(chunk: Buffer): boolean {
  return chunk.length === 8 && [80_877_103, 80_877_104].includes(chunk.readUInt32BE(4));
}

/** Whether the last message of an answer is ReadyForQuery: `Z`, four bytes of length, the state. */
function endsReady(answer: Buffer): boolean {
  return answer.length >= 6 && answer[answer.length - 6] === 'Z'.charCodeAt(0);
}

async function listen(take: (client: Socket, connect: (port: number) => Socket) => void): Promise<{ port: number }> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket.on('error', () => {}));
    return socket;
  };
  const connect = (port: number) => keep(new Socket().connect(port, '127.0.0.1'));
  const server: Server = createServer((client) => take(keep(client), connect));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0 };
}
