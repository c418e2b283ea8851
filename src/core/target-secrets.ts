/** Schemes of `notify`, and what somebody writes who forgets which. */
const TARGET = /^(?:(slack|webhook|ping)\+)?https?:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/i;
const TELEGRAM = /^telegram:\/\/([^/?#\s]*)@/i;

/** Shorter pieces are words such as `services`: hidden, they would make a log unreadable. */
const LONG = 16;
const SHORT = 8;

/**
 * What of a line of `notify` must not be seen, beside the line as a whole. By pattern, and not by
 * parsing: the secret in a line that is refused is one all the same.
 */
export function secretsInTarget(line: string): string[] {
  const bot = TELEGRAM.exec(line)?.[1]?.replace(/@+$/, '');
  if (bot !== undefined) return [bot, decoded(bot), ...bot.split(':').slice(1)];
  const [whole, kind, authority = '', path = '', query = ''] = TARGET.exec(line) ?? [];
  if (whole === undefined) return [];
  const login = authority.includes('@') ? authority.slice(0, authority.lastIndexOf('@')) : '';
  const segments = path.split('/').filter(isSecretLike);
  // Any path of Slack is one whole secret, as are those that hold something like one.
  const paths = kind?.toLowerCase() === 'slack' || segments.length > 0 ? [path, path.slice(1)] : [];
  const values = query.split('&').map((part) => part.slice(part.indexOf('=') + 1));
  const names = query.split('&').filter((part) => /^secret=/i.test(part));
  const secretValues = [...values.filter(isSecretLike), ...names.map((part) => part.slice('secret='.length))];
  return [login, ...paths, ...segments, ...secretValues].flatMap((piece) => [piece, decoded(piece)]);
}

function isSecretLike(piece: string): boolean {
  return piece.length >= LONG || (piece.length >= SHORT && /\d/.test(piece));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone percent sign: meant as written.
  }
}
