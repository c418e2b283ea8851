import { expect, it } from 'vitest';
import { decodeText, encodeText } from '../../../src/engines/postgresql/raw-text.ts';

const texts = ['', 'plain', 'größe 😀 €', 'caf\u00e9'].map((text) => Buffer.from(text));
const others = [
  [0xe4],
  [0x61, 0xff, 0x62],
  [0xe2, 0x82], // half a euro
  [0xf0, 0x9f, 0x98],
  [0xed, 0xb2, 0x80], // a surrogate, which is no UTF-8
  [0xc0, 0x80],
  [0xc3, 0xa4, 0xe4, 0xc3, 0xa4],
  [0xf5, 0x80, 0x80, 0x80, 0xfe],
].map((bytes) => Buffer.from(bytes));

it.each([...texts, ...others].map((bytes) => ({ bytes })))(
  'gives the bytes back that it was made of: %o',
  ({ bytes }) => {
    expect(encodeText(decodeText(bytes))).toEqual(bytes);
    expect(JSON.parse(JSON.stringify(decodeText(bytes)))).toBe(decodeText(bytes));
  },
);

it('is the text itself where it is UTF-8', () => {
  expect(texts.map(decodeText)).toEqual(['', 'plain', 'größe 😀 €', 'café']);
});

it('tells bytes apart that are no UTF-8', () => {
  expect(new Set(others.map(decodeText)).size).toBe(others.length);
  expect(others.map((bytes) => decodeText(bytes).isWellFormed())).toEqual(others.map(() => false));
});
