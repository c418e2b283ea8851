import { createHmac } from 'node:crypto';
import type { WebhookTarget } from '../core/notify-target.ts';
import { isTaken, notTaken, post, type Sending } from './http.ts';
import type { Message } from './message.ts';

/** @throws {Failure} `not-delivered`, `timed-out` */
export async function sendWebhook(target: WebhookTarget, { notification }: Message, sending: Sending): Promise<void> {
  const { label, url, secret } = target;
  const body = JSON.stringify(notification);
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    ...(secret !== undefined && { 'x-lifeboat-signature-256': signatureOf(body, secret) }),
  };
  const answer = await post({ label, url, headers, body }, sending);
  if (!isTaken(answer)) throw notTaken(label, answer, '', hintFor(answer.status));
}

/** Over the bytes of the body, in which `sentAt` stands: it ages with its signature. */
export function signatureOf(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

function hintFor(status: number): string {
  if (status === 401 || status === 403) return 'Check that the receiver knows the same `secret`, or its own token.';
  if (status === 404 || status === 410) return 'Check the path of the URL: nothing listens there.';
  return 'Look into the log of the receiver.';
}
