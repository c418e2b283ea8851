import { STDERR_TAIL } from '../../sys/process.ts';

/** Where what pg_restore ended with begins; warnings and notices come before it. */
const ERROR_LINE = /^(?:\S+ exited with \d+: )?pg_restore: error: /;
/** What follows the message itself: rows, names and statements of the dump. */
const BESIDE = /^(DETAIL|HINT|CONTEXT|QUERY|LINE \d+|Command was): /;
/** Code that makes up its message. Of PL/pgSQL that is two statements; other languages do not tell. */
const MADE_UP = /\bPL\/pgSQL function .* at (RAISE|ASSERT)$|\bPL\/(?!pgSQL )\w+ (function|anonymous)/m;

/** Of a statement longer than what is kept of stderr only the end is there. */
function isCut(message: string): boolean {
  return message.startsWith('pg_restore exited ') || message.length >= STDERR_TAIL;
}

/** Neither pg_restore said it nor what reads the archive: it is about the way to pg_restore, and not about the dump. */
export function isOfWrapper(message: string): boolean {
  const { program } = /^(?<program>\S+) exited with /.exec(message)?.groups ?? {};
  if (program === undefined || program === 'pg_restore' || program === 'zstd' || isCut(message)) return false;
  return !message.split('\n').some((line) => ERROR_LINE.test(line));
}

/**
 * Of a failed restore's message what the server, libpq or a program say themselves. Rows, names, statements and
 * code of the dump can hold any words, and those must not pass for a full disk or a server that died.
 *
 * @returns an empty text when they said nothing that can be told from the dump
 */
export function ownWords(message: string): string {
  const lines = message.split('\n');
  const from = lines.findLastIndex((line) => ERROR_LINE.test(line));
  if (from === -1) return isCut(message) ? '' : message;
  if (MADE_UP.test(message)) return '';
  const length = lines.slice(from).findIndex((line) => BESIDE.test(line));
  const [first = '', ...more] = lines.slice(from, length === -1 ? undefined : from + length);
  const said = /\bERROR: {2}/.test(first) ? [first] : [first, ...more];
  return said.join('\n').replaceAll(/".*"/g, '""');
}
