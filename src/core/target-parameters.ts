import { Failure } from './failure.ts';
import { nearest } from './nearest.ts';

/** The query of a URL, decoded. */
export type Parameters = ReadonlyMap<string, string>;

/**
 * Reads a query. Not with URLSearchParams, to which `+` is a space: an address such as
 * `ops+backup@example.com` would be another one.
 */
export function readParameters(query: string): Parameters {
  const found = new Map<string, string>();
  for (const part of query.split('&').filter((each) => each !== '')) {
    const name = nameOf(part);
    if (found.has(name)) throw refusedTarget(`\`${name}\` is there twice. Give it once.`);
    found.set(name, decodedPart(part.includes('=') ? part.slice(part.indexOf('=') + 1) : ''));
  }
  return found;
}

/** A query without one of its parameters, otherwise as it was written. */
export function queryWithout(query: string, name: string): string {
  return query
    .split('&')
    .filter((part) => nameOf(part) !== name)
    .join('&');
}

/** Refuses what is not listed, by its name: values may be secrets. */
export function refuseUnknownParameters(what: string, found: Parameters, known: readonly string[]): void {
  const unknown = [...found.keys()].find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const allowed = known.length === 0 ? 'It takes none.' : `It takes ${known.map((name) => `\`${name}\``).join(', ')}.`;
  throw refusedTarget(`${what} has the unknown parameter \`${unknown}\`. ${allowed}`);
}

/** Where others are the receiver's: one letter wrong, and a secret would go out in clear. */
export function refuseMisspelt(found: Parameters, name: string): void {
  const meant = [...found.keys()].find((each) => each !== name && nearest(each.toLowerCase(), [name]) !== undefined);
  if (meant !== undefined) throw refusedTarget(`There is \`${meant}\` in it. Did you mean \`${name}\`?`);
}

export function decodedPart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    const hint = 'There is a broken `%` sequence in it. Write `%25` for a percent sign.';
    throw new Failure('invalid-input', 'A URL of `notify` cannot be used.', { hint, cause });
  }
}

export function refusedTarget(hint: string): Failure {
  return new Failure('invalid-input', 'A URL of `notify` cannot be used.', { hint });
}

function nameOf(part: string): string {
  return decodedPart(part.split('=')[0] ?? '');
}
