import { Failure } from './failure.ts';

/**
 * Splits text into words as a shell does: white space between words, quotes and backslashes around
 * what belongs together. Nothing is expanded and no shell ever runs it.
 *
 * @throws {Failure} `invalid-input` when a quote is never closed
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  // One piece at a time: 'single', "double" with \" and \\, an escaped character, or plain text.
  const piece = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)|(\s+)/gsy;
  let word: string | undefined;
  let end = 0;
  for (const match of text.matchAll(piece)) {
    end = match.index + match[0].length;
    const [, single, double, escaped, plain, space] = match;
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + (single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '');
    }
  }
  if (end < text.length) {
    throw new Failure('invalid-input', `A quote is never closed in: ${text}`, {
      hint: 'Close it, or escape it with `\\`.',
    });
  }
  return word === undefined ? words : [...words, word];
}
