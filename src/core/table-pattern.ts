import { Failure } from './failure.ts';

/** A user's table name: what table, and of which schema; no schema: of any. */
export interface NamePattern {
  readonly schema: RegExp | undefined;
  readonly table: RegExp;
}

/**
 * Reads `table`, `schema.table`, with `*` and `?` as wildcards, or SQL-quoted parts (`"odd.name"."Table"`)
 * that are taken literally.
 *
 * @param input name of the input, for the message
 */
export function parsePattern(text: string, input: string): NamePattern {
  const parts = splitParts(text);
  const [first, second] = parts ?? [];
  if (parts === undefined || first === undefined || parts.length > 2 || parts.includes('^$')) {
    throw new Failure('invalid-input', `\`${input}\`: "${text}" is not a table name.`, {
      hint: 'Write `table` or `schema.table`; put a name with dots or quotes between double quotes.',
    });
  }
  return second === undefined
    ? { schema: undefined, table: new RegExp(first, 'su') }
    : { schema: new RegExp(first, 'su'), table: new RegExp(second, 'su') };
}

/** The dotted parts as regular expressions; undefined when a quote is never closed. */
function splitParts(text: string): string[] | undefined {
  const token = /"((?:[^"]|"")*)"|([^".]+)|(\.)/gsu;
  const parts = [''];
  let end = 0;
  for (const match of text.matchAll(token)) {
    if (match.index !== end) return undefined;
    end += match[0].length;
    const [, quoted, bare, dot] = match;
    if (dot !== undefined) parts.push('');
    else
      parts[parts.length - 1] +=
        quoted === undefined ? wildcards(bare ?? '') : RegExp.escape(quoted.replaceAll('""', '"'));
  }
  return end === text.length ? parts.map((part) => `^${part}$`) : undefined;
}

function wildcards(text: string): string {
  return [...text].map((char) => (char === '*' ? '.*' : char === '?' ? '.' : RegExp.escape(char))).join('');
}
