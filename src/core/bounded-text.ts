import type { Readable } from 'node:stream';
import { Failure } from './failure.ts';
import { formatBytes } from './size.ts';

/**
 * All of a small stream as text. What a store holds may come from anybody, and a few kilobytes can
 * unpack to terabytes.
 *
 * @param stream destroyed at `mostBytes`
 * @param what names it in the message
 * @throws {Failure} `backup-invalid` when there is more; what `stream` errors with
 */
export async function boundedText(stream: Readable, mostBytes: number, what: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw tooLarge(what, mostBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLarge(what: string, mostBytes: number): Failure {
  return new Failure('backup-invalid', `${what} holds more than ${formatBytes(mostBytes)}, and was not read.`, {
    hint: 'No backup of this program holds as much there. Find out who wrote it; its dump can be restored by hand.',
  });
}
