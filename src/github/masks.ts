import type { z } from 'zod';
import { secretsInTarget } from '../core/target-secrets.ts';
import { variableOf } from './environment.ts';
import { describeInputs, type Environment, type RawInputs } from './inputs.ts';

/** Variables that hold secrets of the programs we start or the SDKs we use. */
const SECRET_VARIABLES = [
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'PGPASSWORD',
  'PGSSLPASSWORD',
  'REDISCLI_AUTH',
  'ACTIONS_RUNTIME_TOKEN',
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
];

/** Hold a password beside an address that is none; node and libraries read either case. */
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);

/** A secret key of age, or one of its plugins, wherever it was pasted: the public half looks much like it. */
const AGE_SECRET = /AGE-(?:SECRET-KEY|PLUGIN)-(?:[A-Z0-9]+-)*1[A-Z0-9]+/gi;

/** Shorter text would hide half of the log and protects nothing. */
const SHORTEST = 3;

/**
 * Every text that must not be seen: values of secret inputs and variables, each of their lines, the
 * password in a URL as written and as meant, and the same encoded for a URL and for JSON.
 *
 * @param schemas inputs of every action, since a job's environment serves them all
 */
export function secretsOf(schemas: readonly z.ZodObject[], raw: RawInputs, env: Environment): string[] {
  const inputs = schemas.flatMap(describeInputs);
  const secret = inputs.filter((input) => input.secret).flatMap(({ name }) => [raw[name], env[variableOf(name)]]);
  const values = [
    ...secret,
    ...secret.flatMap((value) => splitLines(value ?? '').flatMap(secretsInTarget)),
    // Not only secret inputs: `store` takes a URL too, and people put credentials everywhere.
    ...[...Object.values(raw), ...inputs.map(({ name }) => env[variableOf(name)] ?? '')]
      .flatMap(splitLines)
      .flatMap(passwordsIn),
    ...[...Object.values(raw), ...ownVariables(env)].flatMap((value) => value.match(AGE_SECRET) ?? []),
    ...SECRET_VARIABLES.map((name) => env[name]),
    ...PROXY_VARIABLES.flatMap((name) => passwordsOfProxy(env[name]?.trim() ?? '')),
  ];
  const pieces = values
    .filter((value) => value !== undefined)
    .flatMap((value) => [value, ...splitLines(value), ...passwordsIn(value)])
    .map((value) => value.trim())
    .filter((value) => !value.startsWith('#'));
  const forms = pieces.flatMap((value) => [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]);
  // The longest first: a secret that holds another one is then hidden as a whole.
  return [...new Set(forms)].filter((form) => form.length >= SHORTEST).sort((a, b) => b.length - a.length);
}

/** Replaces every secret by `***`. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  return (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

/** Words of ours and names of sources: a password that reads `fail` must neither hide nor change a verdict. */
const KEPT: ReadonlySet<string> = new Set(['verdict', 'status', 'rule', 'proof', 'source', 'sources', 'metrics']);

/**
 * The same in every string of a value as JSON has it, but for what decides. Without a detour through JSON: a report of
 * ten thousand backups would be held several times.
 */
export function redactDeep<T>(value: T, redact: (text: string) => string): T {
  const clean = (part: unknown): unknown => {
    if (typeof part === 'string') return redact(part);
    if (Array.isArray(part)) return part.map((one: unknown) => clean(one ?? null));
    if (typeof part !== 'object' || part === null) return part;
    if ('toJSON' in part && typeof part.toJSON === 'function') return clean(part.toJSON());
    const entries = Object.entries(part).filter(([, one]) => one !== undefined);
    return Object.fromEntries(entries.map(([key, one]) => [key, KEPT.has(key) ? one : clean(one)]));
  };
  return clean(value) as T;
}

/** Also those of a misspelt name, which are refused later, and their values with them. */
function ownVariables(env: Environment): string[] {
  return Object.entries(env).flatMap(([name, value]) => (name.startsWith('LIFEBOAT_') && value ? [value] : []));
}

function splitLines(text: string): string[] {
  return text.split(/\r?\n|\r/).map((line) => line.trim());
}

/** Many programs take a proxy without a scheme. */
function passwordsOfProxy(address: string): string[] {
  return passwordsIn(address.includes('://') ? address : `http://${address}`);
}

function passwordsIn(text: string): string[] {
  // By hand, and not with URL: libpq takes lists of hosts that URL refuses, and the password must go all the same.
  const userinfo = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*?:([^/?#\s]*)@/i.exec(text)?.[1];
  // A slash that should have been encoded ends the address early: what stands there is no port, but half a password.
  const spilt = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s@:]*:((?!\d*[/?#])[^/?#\s@]*[/?#]\S*)@/i.exec(text)?.[1];
  const parameter = /[?&\s](?:password|sslpassword)=([^&\s]+)/i.exec(text)?.[1];
  const found = [userinfo, spilt, parameter].filter((value) => value !== undefined);
  // In pieces too: a program that takes such a URL apart elsewhere names a piece as host, port or database.
  const pieces = [userinfo?.split('@'), spilt?.split(/[@/?#]/)].flatMap((parts) => parts ?? []);
  return [...found, ...pieces].flatMap((value) => [value, decoded(value)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone percent sign: the password is meant as written.
  }
}
