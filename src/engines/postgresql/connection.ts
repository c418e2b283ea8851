import { Failure } from '../../core/failure.ts';
import type { Connection } from '../../core/ports.ts';

/** A connection string without any secret (safe in argv), and the password for PGPASSWORD. */
export interface Target {
  /** `postgresql://user@host:5432/shop?sslmode=require`; parts that are missing come from libpq's environment. */
  dsn(given: { applicationName: string; database?: string }): string;
  readonly password: string | undefined;
  /** The database that the URL names. */
  readonly database: string | undefined;
  /** For people: `host:port/database`. */
  readonly label: string;
  /** Whether the URL itself says where the server is; otherwise a parameter of it or libpq's environment does. */
  readonly hasAddress: boolean;
}

// Not WHATWG `URL`: it refuses what libpq takes, several hosts and sockets among them.
const DSN = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
/** The URL would carry it into argv, where everybody on the machine reads it. */
const SECRET_PARAMETERS = new Set(['password', 'sslpassword', 'oauth_client_secret']);

// A server that is gone without a word is noticed within two minutes; the system's own default is two hours.
const KEEPALIVES = ['keepalives_idle=60', 'keepalives_interval=15', 'keepalives_count=4'];

/**
 * Takes a URL apart. With wrapped programs the address is `tools-host`, or the socket inside.
 *
 * @throws {Failure} `invalid-input`; the value is never quoted, since it may hold a password
 */
export function parseTarget(connection: Connection): Target {
  const { url } = connection;
  const parts = DSN.exec(url === '' ? 'postgresql://' : url);
  if (parts === null) throw malformed('it does not begin with `postgresql://` or is not a URL');
  const [, userinfo = '', address = '', path = '', query = ''] = parts;
  refuseSpiltPassword(address, path + query);
  const [user = '', ...rest] = userinfo.split(':');
  const parameters = parseParameters(query);
  const password = rest.length > 0 ? decode(rest.join(':')) : parameters.secrets.get('password');
  if (parameters.secrets.has('sslpassword'))
    throw malformed(
      '`sslpassword` would be visible to every user of the machine; use a key without one, or a service file',
    );
  const wrapped = connection.toolsPrefix !== undefined;
  const host = wrapped ? (connection.toolsHost ?? '') : address;
  const plain = wrapped ? parameters.plain.filter((entry) => !/^(host|hostaddr|port)=/.test(entry)) : parameters.plain;
  const at = user === '' ? host : `${user}@${host}`;
  return {
    password: password === '' ? undefined : password,
    database: path === '' ? parameters.database : decode(path),
    hasAddress: address !== '',
    label: `${address || 'the local socket'}${path === '' ? '' : `/${decode(path)}`}`,
    dsn: ({ applicationName, database }) => {
      const name = database === undefined ? path : encodeURIComponent(database);
      // A parameter would win over the path.
      const kept = database === undefined ? plain : plain.filter((entry) => !entry.startsWith('dbname='));
      const alive = KEEPALIVES.filter((entry) => !plain.some((given) => given.startsWith(entry.replace(/=.*/, '='))));
      const entries = [...kept, ...alive, `application_name=${encodeURIComponent(applicationName)}`];
      return `postgresql://${at}/${name}?${entries.join('&')}`;
    },
  };
}

/** A password that ends too early runs into the address, and libpq would quote it as a host or a port. */
function refuseSpiltPassword(address: string, behind: string): void {
  if (address.includes('@')) throw malformed('a password holds `@`: write it as `%40`');
  const ports = address.split(',').map((host) => /:([^:\]]*)$/.exec(host)?.[1] ?? '');
  if (ports.every((port) => /^\d*$/.test(port))) return;
  if (!behind.includes('@')) throw malformed('its port is not a number');
  throw malformed('a password holds `/` or `?`: write them as `%2F` and `%3F`');
}

interface Parameters {
  readonly plain: string[];
  readonly secrets: Map<string, string>;
  readonly database: string | undefined;
}

function parseParameters(query: string): Parameters {
  const plain: string[] = [];
  const secrets = new Map<string, string>();
  for (const entry of query.split('&').filter((text) => text !== '')) {
    const [name = '', value = ''] = entry.split('=', 2);
    if (SECRET_PARAMETERS.has(name)) secrets.set(name, decode(value));
    else if (name !== 'application_name') plain.push(entry);
  }
  const database = plain.findLast((entry) => entry.startsWith('dbname='))?.slice('dbname='.length);
  return { plain, secrets, database: database === undefined ? undefined : decode(database) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw malformed('a `%` in it is not followed by two hex digits', cause);
  }
}

function malformed(why: string, cause?: unknown): Failure {
  return new Failure('invalid-input', `\`database-url\` (value hidden) cannot be used: ${why}.`, {
    cause,
    hint: 'Write postgresql://user:password@host:5432/database, with special characters of the password percent-encoded.',
  });
}
