import { expect, it } from 'vitest';
import { empty, PartBuffers, readParts } from '../../src/stores/part-buffers.ts';

async function* chunksOf(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

it.each([
  { chunks: [], parts: [''] },
  { chunks: ['ab'], parts: ['ab'] },
  { chunks: ['abcd'], parts: ['abcd'] },
  { chunks: ['abc', 'de'], parts: ['abcd', 'e'] },
  { chunks: ['abcdefghij'], parts: ['abcd', 'efgh', 'ij'] },
  { chunks: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], parts: ['abcd', 'efgh'] },
])('makes $parts of $chunks', async ({ chunks, parts }) => {
  const room = new PartBuffers(4, 1);
  const found: string[] = [];
  for await (const { number, bytes, isLast } of readParts(chunksOf(...chunks), room)) {
    found.push(bytes.toString());
    expect(number).toBe(found.length);
    expect(isLast).toBe(found.length === parts.length);
    room.give(bytes);
  }
  expect(found).toEqual(parts);
});

it('reads no further than there is room for', async () => {
  let read = 0;
  async function* body(): AsyncGenerator<Buffer> {
    for (; read < 100; read += 1) yield Buffer.from('abcd');
  }
  const room = new PartBuffers(4, 2);
  const parts = readParts(body(), room);
  const first = await parts.next();
  await parts.next();
  const third = parts.next();
  expect(await Promise.race([third, new Promise((resolve) => setImmediate(() => resolve('waits')))])).toBe('waits');
  expect(read).toBe(2);
  room.give(first.value.bytes);
  expect((await third).value.number).toBe(3);
});

it('empties a chunk that has its memory for itself, and no other', () => {
  const own = Buffer.from(new ArrayBuffer(4));
  const shared = Buffer.from(new ArrayBuffer(8), 0, 4);
  empty(own);
  empty(shared);
  expect([own.length, shared.length]).toEqual([0, 4]);
  expect(() => empty(own)).not.toThrow();
});
