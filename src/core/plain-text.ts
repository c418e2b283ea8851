// Control characters can repaint a terminal, and direction marks can make a name read as another.
const UNSAFE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Text as it may be shown anywhere: control and invisible characters spelled out, a tab as a space, lines kept apart. */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSAFE, (char) => (char === '\n' ? char : spelledOut(char)));
}

/** The same on one line. */
export function oneLine(text: string): string {
  return visible(text).replaceAll('\n', '\\n');
}

/** At most `length` characters, and how many are not shown. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length).toWellFormed()}… (${text.length - length} more characters)`;
}

function spelledOut(char: string): string {
  if (char === '\t') return ' ';
  if (char === '\r') return '\\r';
  const code = char.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** With a full stop at its end, so that another sentence can follow. */
export function asSentence(text: string): string {
  return /[.!?:]$/.test(text.trimEnd()) ? text.trimEnd() : `${text.trimEnd()}.`;
}
