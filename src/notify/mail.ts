import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { Failure } from '../core/failure.ts';
import type { MailTarget } from '../core/mail-target.ts';
import { headOf } from '../core/notification.ts';
import { clip, oneLine } from '../core/plain-text.ts';
import type { Sending } from './http.ts';
import { mailHtml, mailText } from './mail-body.ts';
import type { Message } from './message.ts';

const PAUSE_MS = 2_000;
const LONGEST_MS = 120_000;
/** A subject is shown to about this length. */
const LONGEST_SUBJECT = 200;

/** @throws {Failure} `not-delivered`, `timed-out` */
export async function sendMail(target: MailTarget, message: Message, { signal }: Sending): Promise<void> {
  try {
    const refused = await trySending(target, message, signal);
    if (refused.length > 0) throw notAll(target, refused);
  } catch (error) {
    throw explain(error, target, signal);
  }
}

async function trySending(target: MailTarget, message: Message, signal: AbortSignal): Promise<string[]> {
  try {
    return await sendOnce(target, message, signal);
  } catch (error) {
    if (signal.aborted || !isPassing(error)) throw error;
    await sleep(PAUSE_MS, undefined, { signal });
    return sendOnce(target, message, signal);
  }
}

/** Resolves with the recipients that were refused while others were taken. */
async function sendOnce(target: MailTarget, message: Message, signal: AbortSignal): Promise<string[]> {
  const { host, port, secure, startTls, login } = target;
  const transport = createTransport({
    host,
    port,
    secure,
    requireTLS: startTls === 'required',
    ignoreTLS: startTls === 'never',
    // With a login and no AUTH on offer nodemailer would try without.
    ...(login !== undefined && { auth: { user: login.user, pass: login.password }, forceAuth: true }),
    // The signal ends it; nodemailer's own limits are only for the case that there is none.
    connectionTimeout: LONGEST_MS,
    greetingTimeout: LONGEST_MS,
    socketTimeout: LONGEST_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const info = await transport.sendMail({ ...mailOf(target, message), signal });
  return info.rejected;
}

/** A failure starts a conversation, and what follows on it, recovery too, is an answer. */
function mailOf({ to, from }: MailTarget, { notification, thread }: Message): SendMailOptions {
  const { id, change, failingSince } = notification;
  const domain = from.slice(from.lastIndexOf('@') + 1);
  const first = failingSince === null ? undefined : `<lifeboat.${thread}.${Date.parse(failingSince)}@${domain}>`;
  const isFirst = change === 'broke' && first !== undefined;
  return {
    from: { name: 'Lifeboat', address: from },
    to: [...to],
    subject: clip(oneLine(`[Lifeboat] ${headOf(notification)}`), LONGEST_SUBJECT),
    date: new Date(notification.sentAt),
    messageId: isFirst ? first : `<lifeboat.${id}@${domain}>`,
    ...(!isFirst && first !== undefined && { inReplyTo: first, references: [first] }),
    // RFC 3834: no vacation notes, please.
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    text: mailText(notification),
    html: mailHtml(notification),
  };
}

interface MailError {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly response?: unknown;
}

function isPassing(error: unknown): boolean {
  const { code, responseCode } = error as MailError;
  const isTemporary = typeof responseCode === 'number' && responseCode >= 400 && responseCode < 500;
  return isTemporary || code === 'ECONNRESET' || code === 'ECONNECTION' || (code === 'ESOCKET' && isReset(error));
}

function isReset(error: unknown): boolean {
  return error instanceof Error && /ECONNRESET|EPIPE/.test(error.message);
}

function notAll({ label, to }: MailTarget, refused: readonly string[]): Failure {
  const message = `${label} was not taken for ${refused.join(', ')}; ${to.length - refused.length} of ${to.length} were.`;
  return new Failure('not-delivered', message, { hint: 'Check that these addresses exist.' });
}

/** By codes and by what the server answered: messages of libraries may hold what was sent. */
function explain(error: unknown, target: MailTarget, signal: AbortSignal): unknown {
  if (error instanceof Failure) return error;
  const { label, host, port } = target;
  const server = `${host}:${port}`;
  const extra = (hint: string) => ({ hint, cause: error });
  if (signal.aborted) {
    const hint = `Check that this machine reaches ${server}; mail goes there directly, by no proxy.`;
    return new Failure('timed-out', `${label} could not be sent in time by ${server}.`, extra(hint));
  }
  const said = answerOf(error, target);
  const why = said === '' ? codeOf(error) : said;
  return new Failure(
    'not-delivered',
    `${label} could not be sent by ${server} (${why}).`,
    extra(hintFor(error, server)),
  );
}

function answerOf(error: unknown, { login }: MailTarget): string {
  const { response } = error as MailError;
  if (typeof response !== 'string') return '';
  const text = login === undefined ? response : response.replaceAll(login.password, '***');
  return clip(oneLine(text.trim()), 200);
}

function codeOf(error: unknown): string {
  const { code } = error as MailError;
  const inner = error instanceof Error ? /\bE[A-Z]{4,}\b|[A-Z]+(?:_[A-Z]+)+/.exec(error.message)?.[0] : undefined;
  return inner ?? (typeof code === 'string' ? code : 'no reason given');
}

function hintFor(error: unknown, server: string): string {
  const { code, responseCode } = error as MailError;
  if (code === 'EAUTH' || code === 'ENOAUTH' || responseCode === 535) {
    return 'Check user and password in the URL; characters such as `@`, `:` and `/` must be encoded, e.g. `%40`.';
  }
  if (code === 'ETLS' || (error instanceof Error && /certificate|SSL|TLS/i.test(error.message))) {
    return `Check the certificate of ${server} and the port: \`smtps://\` is for 465, \`smtp://\` for 587 and 25. One of your own authority needs NODE_EXTRA_CA_CERTS in the environment of the job.`;
  }
  if (code === 'EENVELOPE' || code === 'EMESSAGE') {
    return 'Check `to` and `from`: many servers take mail only from an address of their own, or only after a login.';
  }
  return `Check host and port, and that this machine reaches ${server}; mail goes there directly, by no proxy.`;
}
