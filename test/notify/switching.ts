import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * A server that answers whatever it is asked with `101 Switching Protocols`, and keeps the connection.
 *
 * @returns `events` says `closed` for each connection that the other side ended
 */
export async function startSwitching(): Promise<{ host: string; events: EventEmitter }> {
  const events = new EventEmitter();
  const server = createServer((socket) => {
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    );
    socket.on('error', () => {});
    socket.once('close', () => events.emit('closed'));
    onTestFinished(() => void socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, events };
}
