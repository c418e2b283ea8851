import { splitName } from '../../core/table-name.ts';
import { identifier, literal } from './session.ts';

/** Control and format characters, line ends of every kind among them: in a log or a table they would be gone. */
const HIDDEN = /[\p{C}\u2028\u2029]/u;

/** A quoted identifier that can be printed and copied. */
export function visibleIdentifier(name: string): string {
  return HIDDEN.test(name) ? `U&${identifier(escaped(name))}` : identifier(name);
}

/** The same of a literal. */
export function visibleLiteral(text: string): string {
  return HIDDEN.test(text) ? `U&${literal(escaped(text))}` : literal(text);
}

/** A qualified name as facts write it, the same way; one that is whole already stays as it is. */
export function visibleName(qualified: string): string {
  if (!HIDDEN.test(qualified)) return qualified;
  const { schema, table } = splitName(qualified);
  return `${visibleIdentifier(schema)}.${visibleIdentifier(table)}`;
}

function escaped(text: string): string {
  const written = [...text].map((char) => {
    if (char === '\\') return '\\\\';
    const code = char.codePointAt(0) ?? 0;
    return HIDDEN.test(char) ? `\\+${code.toString(16).padStart(6, '0')}` : char;
  });
  return written.join('');
}
