import { isUtf8 } from 'node:buffer';

// A database of encoding SQL_ASCII may hold any bytes in names and definitions. Those that are no UTF-8 become lone
// surrogates, one each, which no valid text holds: nothing is lost, and `encodeText` gives the same bytes back.
const ESCAPE = 0xdc00;
const ESCAPED = /([\u{dc80}-\u{dcff}]+)/u;

/** Bytes that ought to be UTF-8 as a text that tells the others apart. */
export function decodeText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = lengthAt(bytes, at);
    if (length === 0) {
      parts.push(bytes.toString('utf8', from, at), String.fromCharCode(ESCAPE + (bytes[at] ?? 0)));
      from = at + 1;
    }
    at += length || 1;
  }
  return parts.join('') + bytes.toString('utf8', from);
}

/** Bytes of the character that begins at `at`; 0: none does. */
function lengthAt(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const character = bytes.subarray(at, at + length);
  return first >= 0xc2 && character.length === length && isUtf8(character) ? length : 0;
}

export function encodeText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts = text.split(ESCAPED);
  return Buffer.concat(parts.map((part, at) => (at % 2 === 0 ? Buffer.from(part) : Buffer.from(bytesOf(part)))));
}

function bytesOf(escaped: string): number[] {
  return Array.from(escaped, (char) => char.charCodeAt(0) - ESCAPE);
}
