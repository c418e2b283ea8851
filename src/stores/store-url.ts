import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDuration } from '../core/duration.ts';
import { Failure } from '../core/failure.ts';

export interface FilePlace {
  readonly scheme: 'file';
  /** Absolute, normalized. */
  readonly folder: string;
  readonly location: string;
}

export interface ObjectLock {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  readonly forMs: number;
}

export interface S3Place {
  readonly scheme: 's3';
  readonly bucket: string;
  /** Put in front of every key: empty, or ending with a slash. */
  readonly root: string;
  readonly location: string;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly pathStyle: boolean;
  readonly storageClass: string | undefined;
  readonly sse: 'AES256' | 'aws:kms' | undefined;
  readonly sseKmsKeyId: string | undefined;
  readonly objectLock: ObjectLock | undefined;
  readonly maxParts: number;
}

export type StorePlace = FilePlace | S3Place;

const ALLOWED = 'Use `file:///folder` (absolute) or `s3://bucket/prefix?region=…&endpoint=…`.';
const NO_CREDENTIALS = 'Take credentials out: they come from the AWS default chain (`AWS_…`).';
const S3_PARAMETERS = [
  'region',
  'endpoint',
  'path-style',
  'storage-class',
  'sse',
  'sse-kms-key-id',
  'object-lock',
  'max-parts',
];
const MAX_PARTS = 10_000;

/**
 * Takes a store's URL apart. Nothing is guessed: what is not known is refused.
 *
 * @throws {Failure} `invalid-input` with the value (credentials hidden) and what is allowed
 */
export function parseStoreUrl(text: string): StorePlace {
  if (/,\s*(file|s3):/.test(text)) throw refused(text, 'holds several URLs', 'Write one URL a line, no commas.');
  const url = URL.parse(text);
  if (url === null || text !== text.trim()) throw noUrl(text);
  if (url.username !== '' || url.password !== '') throw refused(text, 'holds credentials', NO_CREDENTIALS);
  if (text.includes('#')) throw refused(text, 'holds a `#`', 'Write `%23` for a `#` in a name.');
  if (url.protocol === 'file:') return parseFile(text, url);
  if (url.protocol === 's3:') return parseS3(text, url);
  throw refused(text, `has the unknown scheme \`${url.protocol}\``, ALLOWED);
}

/** A secret key with a slash in it makes a URL unreadable, and a path is what people write first. */
function noUrl(text: string): Failure {
  if (text.includes('@')) return refused(text, 'is not a URL, or holds credentials', `${NO_CREDENTIALS} ${ALLOWED}`);
  const hint = text.startsWith('/') ? `Write \`file://${printable(text)}\`. ${ALLOWED}` : ALLOWED;
  return refused(text, 'is not a URL', hint);
}

/**
 * The URL without anything that could be secret: its query, and all before the last `@`, since a
 * secret key with a slash in it ends up in the path.
 */
export function printable(text: string): string {
  return text.replace(/[?#].*$/s, '').replace(/^([^:]*:\/*)?.*@/s, '$1***@');
}

function parseFile(text: string, url: URL): FilePlace {
  // new URL('file:backups') is file:///backups, and file://srv/x is /x on the host srv: neither is what was meant.
  if (/^file:\/\/[^/]/.test(text))
    throw refused(text, 'names a host', `Write three slashes: \`file:///${printable(text).slice(7)}\`. ${ALLOWED}`);
  if (/\s/.test(text)) throw refused(text, 'holds white space', 'Write one URL a line; a space in a path is `%20`.');
  if (!text.startsWith('file:///') || url.host !== '') throw refused(text, 'is not absolute', ALLOWED);
  if (text.includes('?')) throw refused(text, 'has query parameters', 'A `file:` store takes none.');
  const folder = resolve(pathOf(text, url));
  if (folder === '/') throw refused(text, 'is the root of the file system', 'Name a folder of its own.');
  return { scheme: 'file', folder, location: `file://${folder}` };
}

function pathOf(text: string, url: URL): string {
  try {
    const path = fileURLToPath(url);
    if (!path.includes('\0')) return path;
  } catch (cause) {
    throw refused(text, 'cannot be a path', 'A name in it holds an encoded slash or a broken `%` sequence.', cause);
  }
  throw refused(text, 'cannot be a path', 'A name in it holds a zero byte.');
}

function parseS3(text: string, url: URL): S3Place {
  if (!text.startsWith('s3://') || !/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(url.hostname)) {
    throw refused(text, 'names no bucket', ALLOWED);
  }
  if (url.port !== '') throw refused(text, 'has a port', 'Write it into `endpoint=https://host:port`.');
  const prefix = prefixOf(text);
  const query = new Query(text, url.searchParams);
  const endpoint = query.endpoint();
  const where = prefix === '' ? '' : `/${prefix}`;
  return {
    scheme: 's3',
    bucket: url.hostname,
    root: prefix === '' ? '' : `${prefix}/`,
    // Two sites may have a bucket of one name; without the endpoint their reports could not be told apart.
    location: `s3://${url.hostname}${where}${endpoint === undefined ? '' : `?endpoint=${endpoint}`}`,
    region: query.matching('region', /^[a-z0-9-]+$/i, 'Use a name such as `eu-central-1`.'),
    endpoint,
    pathStyle: query.oneOf('path-style', ['true', 'false']) === 'true',
    storageClass: query.storageClass(),
    ...query.encryption(),
    objectLock: query.objectLock(),
    maxParts: query.maxParts(),
  };
}

/** Read from the text: URL would resolve `..` and so hide that somebody wrote it. */
function prefixOf(text: string): string {
  const path = /^s3:\/\/[^/?]*\/?([^?]*)/.exec(text)?.[1] ?? '';
  const prefix = decoded(text, path).replace(/\/$/, '');
  const odd = prefix.split('/').some((name) => name === '' || name === '.' || name === '..');
  if (prefix !== '' && odd) throw refused(text, 'has an empty, `.` or `..` folder in its prefix', ALLOWED);
  return prefix;
}

function decoded(text: string, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw refused(text, 'has a broken `%` sequence', 'Write `%25` for a percent sign.', cause);
  }
}

/** The query of an `s3:` URL, each parameter read by its own rule. */
class Query {
  readonly #text: string;
  readonly #values: URLSearchParams;

  constructor(text: string, values: URLSearchParams) {
    this.#text = text;
    this.#values = values;
    const known = `Allowed: ${S3_PARAMETERS.map((name) => `\`${name}\``).join(', ')}.`;
    for (const name of new Set(values.keys())) {
      if (!S3_PARAMETERS.includes(name)) throw refused(text, `has the unknown query parameter \`${name}\``, known);
      if (values.getAll(name).length > 1) throw refused(text, `has \`${name}\` twice`, 'Give it once.');
    }
  }

  matching(name: string, pattern: RegExp, hint: string): string | undefined {
    const value = this.#values.get(name) ?? undefined;
    if (value === undefined || pattern.test(value)) return value;
    throw this.#unreadable(name, value, hint);
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const value = this.#values.get(name);
    const found = values.find((known) => known === value);
    if (value === null || found !== undefined) return found;
    throw this.#unreadable(name, value, `Use ${values.map((known) => `\`${known}\``).join(' or ')}.`);
  }

  endpoint(): string | undefined {
    const value = this.#values.get('endpoint');
    if (value === null) return undefined;
    const url = URL.parse(value);
    const plain = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
    if (plain && url.search === '' && url.hash === '') return url.href.replace(/\/$/, '');
    throw this.#unreadable('endpoint', printable(value), 'Use `https://host` or `https://host:port`.');
  }

  storageClass(): string | undefined {
    const hint = 'Use a name such as `STANDARD_IA`.';
    const value = this.matching('storage-class', /^[A-Za-z][A-Za-z0-9_-]*$/, hint);
    if (value !== 'GLACIER' && value !== 'DEEP_ARCHIVE') return value;
    throw this.#unreadable(
      'storage-class',
      value,
      'Objects there cannot be read at once, so no backup could be judged or drilled. Use `GLACIER_IR`.',
    );
  }

  encryption(): Pick<S3Place, 'sse' | 'sseKmsKeyId'> {
    const sse = this.oneOf('sse', ['AES256', 'aws:kms']);
    const sseKmsKeyId = this.matching('sse-kms-key-id', /^[\w:/-]+$/, 'Use the id or the ARN of the key.');
    if (sseKmsKeyId === undefined || sse === 'aws:kms') return { sse, sseKmsKeyId };
    throw refused(this.#text, 'has `sse-kms-key-id` without `sse=aws:kms`', 'Give both, or neither.');
  }

  objectLock(): ObjectLock | undefined {
    const hint = 'Use `governance:30d` or `compliance:30d`.';
    const value = this.matching('object-lock', /^(governance|compliance):\w+$/, hint);
    if (value === undefined) return undefined;
    const [mode, length = ''] = value.split(':');
    const forMs = this.#duration(value, length, hint);
    return { mode: mode === 'governance' ? 'GOVERNANCE' : 'COMPLIANCE', forMs };
  }

  maxParts(): number {
    const hint = `Use a whole number from 2 to ${MAX_PARTS}.`;
    const value = this.matching('max-parts', /^\d{1,5}$/, hint);
    const parts = value === undefined ? MAX_PARTS : Number(value);
    if (parts >= 2 && parts <= MAX_PARTS) return parts;
    throw this.#unreadable('max-parts', String(value), hint);
  }

  #duration(value: string, length: string, hint: string): number {
    try {
      const ms = parseDuration(length);
      if (ms > 0) return ms;
    } catch (cause) {
      throw this.#unreadable('object-lock', value, hint, cause);
    }
    throw this.#unreadable('object-lock', value, hint);
  }

  #unreadable(name: string, value: string, hint: string, cause?: unknown): Failure {
    return refused(this.#text, `has \`${name}=${value}\``, hint, cause);
  }
}

function refused(text: string, why: string, hint: string, cause?: unknown): Failure {
  const extra = cause === undefined ? { hint } : { hint, cause };
  return new Failure('invalid-input', `The store URL "${printable(text)}" ${why}.`, extra);
}
