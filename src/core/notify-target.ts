import { createHash } from 'node:crypto';
import { Failure } from './failure.ts';
import { type MailTarget, parseMail } from './mail-target.ts';
import {
  decodedPart,
  type Parameters,
  queryWithout,
  readParameters,
  refusedTarget,
  refuseMisspelt,
  refuseUnknownParameters,
} from './target-parameters.ts';

export interface SlackTarget {
  readonly kind: 'slack';
  /** Safe to print; so are all labels. */
  readonly label: string;
  /** May hold a secret anywhere but in its host. */
  readonly url: string;
}

export interface WebhookTarget {
  readonly kind: 'webhook';
  readonly label: string;
  readonly url: string;
  /** Key of the signature. */
  readonly secret: string | undefined;
}

export interface PingTarget {
  readonly kind: 'ping';
  readonly label: string;
  readonly url: string;
}

export interface TelegramTarget {
  readonly kind: 'telegram';
  readonly label: string;
  readonly token: string;
  readonly chat: string;
  /** Topic of a group that has topics. */
  readonly thread: number | undefined;
  /** The Bot API, without a slash at its end. */
  readonly endpoint: string;
}

/** One line of `notify`, read. */
export type NotifyTarget = SlackTarget | TelegramTarget | MailTarget | WebhookTarget | PingTarget;

const TELEGRAM = 'https://api.telegram.org';

const ALLOWED =
  'Write `slack+https://`, `telegram://token@chat`, `smtps://` or `smtp://user:password@host?to=`, `webhook+https://` or `ping+https://`.';

const readers: Readonly<Record<string, (line: string) => NotifyTarget>> = {
  'slack+https': parseSlack,
  'slack+http': parseSlack,
  'webhook+https': parseWebhook,
  'webhook+http': parseWebhook,
  'ping+https': parsePing,
  'ping+http': parsePing,
  telegram: parseTelegram,
  smtp: parseMail,
  smtps: parseMail,
};

/**
 * Reads `notify`, one URL a line. Nothing is asked of anybody yet.
 *
 * @throws {Failure} `invalid-input`, with neither value nor secret in message or hint
 */
export function parseNotify(text: string): NotifyTarget[] {
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trim());
  const places = lines.flatMap((line, at) => (line === '' ? [] : [{ line, number: at + 1 }]));
  return places.map(({ line, number }) => {
    try {
      return parseTarget(line);
    } catch (cause) {
      if (!(cause instanceof Failure) || places.length === 1) throw cause;
      throw new Failure(cause.code, cause.message, { hint: `Line ${number}: ${cause.hint}`, cause });
    }
  });
}

/** Names a target in a memory without telling what it is. The password of a mail server is no part of it. */
export function targetId(target: NotifyTarget): string {
  const { kind, label } = target;
  const place = kind === 'mail' ? '' : kind === 'telegram' ? target.token : target.url;
  const text = JSON.stringify([kind, label, place]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function parseTarget(line: string): NotifyTarget {
  const scheme = /^([a-z+]+):\/\//i.exec(line)?.[1]?.toLowerCase();
  if (scheme === undefined) throw refusedTarget(`That is no URL. ${ALLOWED}`);
  if (scheme === 'http' || scheme === 'https') {
    throw refusedTarget(`A bare \`${scheme}://\` does not say what listens there. ${ALLOWED}`);
  }
  const read = Object.hasOwn(readers, scheme) ? readers[scheme] : undefined;
  if (read === undefined) throw refusedTarget(`There is no such scheme. ${ALLOWED}`);
  return read(line);
}

function parseSlack(line: string): SlackTarget {
  const { url, parameters } = httpUrl(line);
  refuseUnknownParameters('A `slack+https://` URL', parameters, []);
  const isWhole = url.pathname !== '/' && url.username + url.password === '';
  if (!isWhole) throw refusedTarget('That is no incoming webhook. Copy its whole URL, as Slack shows it.');
  return { kind: 'slack', label: `Slack (${url.host})`, url: url.href };
}

/** Parameters but ours are the receiver's. */
function parseWebhook(line: string): WebhookTarget {
  const { url, parameters } = httpUrl(line);
  refuseMisspelt(parameters, 'secret');
  const secret = parameters.get('secret');
  if (secret === '') throw refusedTarget('`secret` is empty. Give it a value, or leave it out.');
  url.search = queryWithout(url.search.slice(1), 'secret');
  return { kind: 'webhook', label: `webhook (${url.host})`, url: url.href, secret };
}

function parsePing(line: string): PingTarget {
  const { url, parameters } = httpUrl(line);
  refuseUnknownParameters('A `ping+https://` URL', parameters, ['create']);
  url.pathname = url.pathname.replace(/\/+$/, '');
  if (url.pathname === '/') throw refusedTarget('The path is missing. Copy the whole ping URL of the check.');
  return { kind: 'ping', label: `ping (${url.host})`, url: url.href };
}

function httpUrl(line: string): { url: URL; parameters: Parameters } {
  const url = URL.parse(line.replace(/^[a-z]+\+/i, ''));
  if (url === null || url.hostname === '') throw refusedTarget(`That cannot be read as a URL. ${ALLOWED}`);
  if (line.includes('#')) throw refusedTarget('There is a `#` in it. Write `%23` for one that belongs to the URL.');
  return { url, parameters: readParameters(url.search.slice(1)) };
}

function parseTelegram(line: string): TelegramTarget {
  const how = 'Write `telegram://123456:token@chat`; a chat is a number, e.g. `-1001234567890`, or `@channelname`.';
  const [, user = '', chat = '', query = ''] = /^telegram:\/\/([^@/?#]+)@([^/?#]+)\/?(?:\?([^#]*))?$/i.exec(line) ?? [];
  const token = decodedPart(user);
  if (!/^\d+:[\w-]+$/.test(token)) throw refusedTarget(`There is no token of a bot in it. ${how}`);
  if (!/^(-?\d+|@?[a-z]\w{3,})$/i.test(chat)) throw refusedTarget(`That is no chat. ${how}`);
  const parameters = readParameters(query);
  refuseUnknownParameters('A `telegram://` URL', parameters, ['endpoint', 'thread']);
  const endpoint = endpointOf(parameters.get('endpoint'));
  const name = /^[a-z]/i.test(chat) ? `@${chat}` : chat;
  const where = endpoint === TELEGRAM ? name : `${name}, ${new URL(endpoint).host}`;
  const thread = threadOf(parameters.get('thread'));
  return { kind: 'telegram', label: `Telegram (${where})`, token, chat: name, thread, endpoint };
}

function threadOf(value: string | undefined): number | undefined {
  if (value === undefined || /^\d{1,15}$/.test(value)) return value === undefined ? undefined : Number(value);
  throw refusedTarget('`thread` is the number of a topic.');
}

function endpointOf(value: string | undefined): string {
  if (value === undefined) return TELEGRAM;
  const url = URL.parse(value);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username + url.search + url.hash === '';
  if (isPlain) return url.href.replace(/\/+$/, '');
  throw refusedTarget('`endpoint` is the address of a Bot API server, e.g. `https://bots.example.com`.');
}
