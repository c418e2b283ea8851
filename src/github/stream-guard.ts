/**
 * Text in which the runner finds no command. It reads stdout and stderr line by line and takes every
 * line that begins with `::` after white space, and `##[` anywhere in a line; names in a database
 * may hold both.
 */
export function harmless(text: string): string {
  return text.replaceAll('##[', '# #[').replaceAll(/^(?=(?:[^\S\r\n]|\u0085)*::)/gm, '| ');
}

/** Lets what `write` writes, until it returns, pass a guard as it is. */
export type Past = <T>(write: () => T) => T;

type Stream = Pick<NodeJS.WriteStream, 'write'>;

/** An unfinished line is kept in full up to here; no command hides behind as much white space. */
const LONGEST_LINE = 10_000;

/**
 * Makes whatever is written to a stream harmless (a library's warning, a stack with text of a
 * database in it), also in pieces, and returns the way past it for our own commands.
 */
export function guardStream(stream: Stream): Past {
  const write = stream.write.bind(stream);
  let line = '';
  let open = false;
  stream.write = ((chunk: string | Uint8Array, ...rest: []) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    const safe = open ? text : continued(line, text);
    line = unfinished(line + safe);
    return write(safe, ...rest);
  }) as Stream['write'];
  return (use) => {
    // A line that somebody left unfinished would swallow the command.
    if (line !== '') stream.write('\n');
    open = true;
    try {
      return use();
    } finally {
      open = false;
    }
  };
}

/** `text` such that nothing in it is a command, nor becomes one after the beginning of its line. */
function continued(line: string, text: string): string {
  const whole = harmless(line + text);
  return whole.startsWith(line) ? whole.slice(line.length) : `\n${harmless(text)}`;
}

function unfinished(text: string): string {
  const line = text.slice(Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1);
  return line.length > LONGEST_LINE ? `…${line.slice(-2)}` : line;
}
