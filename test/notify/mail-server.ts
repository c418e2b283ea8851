import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { onTestFinished } from 'vitest';

export interface MailServer {
  readonly port: number;
  readonly mails: { readonly raw: string; readonly parsed: ParsedMail; readonly to: readonly string[] }[];
  /** `user:password` of each login that was tried. */
  readonly logins: string[];
}

/** A real mail server that takes what it gets; as `user` with the password `right` where it asks for a login. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: MailServer['mails'] = [];
  const logins: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) => {
      logins.push(`${username}:${password}`);
      if (password === 'right') done(null, { user: username });
      else done(new Error('Authentication credentials invalid'));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString('utf8');
        const to = session.envelope.rcptTo.map(({ address }) => address);
        void simpleParser(raw).then((parsed) => {
          mails.push({ raw, parsed, to });
          done();
        }, done);
      });
    },
    ...options,
  });
  server.on('error', () => {}); // Clients that hang up.
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (listening.address() as AddressInfo).port, mails, logins };
}
