import { createHash } from 'node:crypto';

/**
 * Digest of a definition: `exact` counts as it is, expressions without what a dump and restore changes.
 * First 32 hex digits of a SHA-256.
 */
export function digestOf(exact: unknown, expressions: readonly (string | null)[]): string {
  const normal = expressions.map((text) => (text === null ? null : normalise(text)));
  return createHash('sha256')
    .update(JSON.stringify([exact, normal]))
    .digest('hex')
    .slice(0, 32);
}

// One piece of SQL at a time: E'…', '…', "…", $tag$…$tag$, a word or number, white space, `::`, or one character.
const PIECE =
  /[eE]'[^'\\]*(?:(?:''|\\.)[^'\\]*)*'|'[^']*(?:''[^']*)*'|"[^"]*(?:""[^"]*)*"|(\$[^\W\d]*\w*\$).*?\1|[\p{L}\p{N}_$.]+|\s+|::|./gsu;
const QUOTED_OR_WORD = /^["\p{L}_]/u;

/**
 * An expression as pg_get_expr, pg_get_viewdef and the like give it, without casts, parentheses and
 * white space: a server that reads back its own output places them differently (measured on 15.20:
 * `x = ANY ((ARRAY['a'::varchar, …])::text[])` comes back as `ARRAY[('a'::varchar)::text, …]`).
 */
export function normalise(expression: string): string {
  const pieces = (expression.match(PIECE) ?? []).filter((piece) => piece.trim() !== '');
  const kept: string[] = [];
  for (let at = 0; at < pieces.length; at++) {
    const piece = pieces[at] ?? '';
    if (piece === '::') at = endOfType(pieces, at + 1) - 1;
    else if (piece !== '(' && piece !== ')') kept.push(piece);
  }
  return kept.join(' ');
}

/** Words that continue a type's name after its first: `timestamp(3) without time zone`, `character varying(10)[]`. */
const CONTINUES: Readonly<Record<string, readonly string[]>> = {
  character: ['varying'],
  bit: ['varying'],
  double: ['precision'],
  timestamp: ['with', 'without', 'time', 'zone'],
  time: ['with', 'without', 'time', 'zone'],
  interval: ['year', 'month', 'day', 'hour', 'minute', 'second', 'to'],
};

/** The place after the type that begins at `start`. */
function endOfType(pieces: readonly string[], start: number): number {
  const first = pieces[start] ?? '';
  let at = endOfName(pieces, start);
  const words = CONTINUES[first] ?? [];
  for (;;) {
    const piece = pieces[at];
    if (piece === '(' && isModifier(pieces, at)) at = pieces.indexOf(')', at) + 1;
    else if (piece === '[' && pieces[at + 1] === ']') at += 2;
    else if (piece !== undefined && words.includes(piece)) at += 1;
    else return at;
  }
}

/** `public."Mood"` comes as `public.`, `"Mood"`; `"My schema".mood` as `"My schema"`, `.mood`. */
function endOfName(pieces: readonly string[], start: number): number {
  let at = start + 1;
  while (joins(pieces[at - 1], pieces[at])) at += 1;
  return at;
}

function joins(before: string | undefined, after: string | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  return (before.endsWith('.') && QUOTED_OR_WORD.test(after)) || (before.startsWith('"') && after.startsWith('.'));
}

/** `(-1234, 5)`, with room; a type of an extension may take some more. */
const LONGEST_MODIFIER = 20;

/** `(10,2)` behind a type, and not a parenthesis of the expression around it. */
function isModifier(pieces: readonly string[], open: number): boolean {
  // Not to the far end: thousands of types in one expression would each look through all of it.
  const close = pieces.slice(open, open + LONGEST_MODIFIER).indexOf(')') + open;
  const inside = pieces.slice(open + 1, close);
  return close > open && inside.length > 0 && inside.every((piece) => /^(-?\d+|,|-|\w+)$/.test(piece));
}
