import { decodedPart, readParameters, refusedTarget, refuseUnknownParameters } from './target-parameters.ts';

/** A mail server and who gets mail by it. */
export interface MailTarget {
  readonly kind: 'mail';
  /** Safe to print. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; otherwise STARTTLS. */
  readonly secure: boolean;
  /** Undefined: where the server offers it. */
  readonly startTls: 'required' | 'never' | undefined;
  readonly login: { readonly user: string; readonly password: string } | undefined;
  readonly to: readonly string[];
  readonly from: string;
}

const HOW = 'Write `smtps://user:password@host:465?to=ops@example.com,dba@example.com&from=lifeboat@example.com`.';

/** Neither quotes nor comments nor white space: nothing in an address can become a header or a second address. */
const ADDRESS = /^[^\s@<>(),;:"\\[\]\p{C}]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/iu;

/** Submission with a login, relaying without. */
const PORTS = { smtps: 465, submission: 587, relay: 25 };

/** Reads `smtp://` and `smtps://`. */
export function parseMail(line: string): MailTarget {
  // By hand: the password may hold what a URL would take for the end of its authority.
  const [, scheme = '', authority = '', rest = ''] = /^(smtps?):\/\/([^/?#]*)(.*)$/is.exec(line) ?? [];
  const query = /^\/?(?:\?([^#]*))?$/.exec(rest);
  if (query === null) {
    throw refusedTarget(`There is a path or a \`#\` in it. Encode what belongs to the password, e.g. \`%2F\`. ${HOW}`);
  }
  const at = authority.lastIndexOf('@');
  const secure = scheme.toLowerCase() === 'smtps';
  const login = at < 0 ? undefined : loginOf(authority.slice(0, at));
  const { host, port } = serverOf(authority.slice(at + 1));
  const parameters = readParameters(query[1] ?? '');
  refuseUnknownParameters('An `smtp://` or `smtps://` URL', parameters, ['to', 'from', 'starttls']);
  const to = recipientsOf(parameters.get('to'));
  return {
    kind: 'mail',
    label: `mail to ${to.join(', ')}`,
    host,
    port: port ?? (secure ? PORTS.smtps : login === undefined ? PORTS.relay : PORTS.submission),
    secure,
    startTls: startTlsOf(parameters.get('starttls'), secure, login !== undefined),
    login,
    to,
    from: senderOf(parameters.get('from'), login?.user, to),
  };
}

function loginOf(text: string): NonNullable<MailTarget['login']> {
  const colon = text.indexOf(':');
  const [user, password] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  if (user === '' || password === '') throw refusedTarget(`There is a user without a password, or the reverse. ${HOW}`);
  return { user: decodedPart(user), password: decodedPart(password) };
}

function serverOf(text: string): { host: string; port: number | undefined } {
  const [, bracketed, name, port] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = bracketed ?? name;
  const number = port === undefined ? undefined : Number(port);
  if (host === undefined || number === 0 || (number ?? 1) > 65_535) {
    throw refusedTarget(`There is no host in it, or its port is none. ${HOW}`);
  }
  return { host, port: number };
}

function recipientsOf(text = ''): string[] {
  const to = text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  if (to.length === 0) throw refusedTarget(`\`to\` is missing: nobody would get the mail. ${HOW}`);
  if (!to.every((each) => ADDRESS.test(each))) throw refusedTarget(`Not every part of \`to\` is an address. ${HOW}`);
  return to;
}

/** Servers that check who sends accept their own user; others a name of the recipient's domain. */
function senderOf(text: string | undefined, user: string | undefined, [first = '']: readonly string[]): string {
  const from = text ?? (user !== undefined && ADDRESS.test(user) ? user : `lifeboat@${first.split('@')[1]}`);
  if (ADDRESS.test(from)) return from;
  throw refusedTarget(`\`from\` is no address. ${HOW}`);
}

/** A password never goes out in clear unless somebody says so. */
function startTlsOf(text: string | undefined, secure: boolean, hasLogin: boolean): MailTarget['startTls'] {
  if (text !== undefined && secure) throw refusedTarget('`starttls` belongs to `smtp://`; `smtps://` is TLS anyway.');
  if (text === undefined) return hasLogin ? 'required' : undefined;
  if (text === 'required' || text === 'never') return text;
  throw refusedTarget(
    '`starttls` is `required` or `never`; when it is left out, it is used where the server offers it.',
  );
}
