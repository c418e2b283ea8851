import type { NotifyTarget, PingTarget } from '../core/notify-target.ts';
import type { Sending } from './http.ts';
import type { Message } from './message.ts';

/**
 * Sends one message. Imported only when used: a step that tells nobody loads none of it, and no mail program.
 *
 * @throws {Failure} `not-delivered`, `timed-out`; names the target by its label, never by its URL
 */
export async function deliver(target: NotifyTarget, message: Message, sending: Sending): Promise<void> {
  switch (target.kind) {
    case 'slack':
      return (await import('./slack.ts')).sendSlack(target, message, sending);
    case 'telegram':
      return (await import('./telegram.ts')).sendTelegram(target, message, sending);
    case 'mail':
      return (await import('./mail.ts')).sendMail(target, message, sending);
    case 'webhook':
      return (await import('./webhook.ts')).sendWebhook(target, message, sending);
    case 'ping':
      return (await import('./ping.ts')).sendPing(target, message, sending);
  }
}

/** Tells that the work begins. */
export async function deliverStart(target: PingTarget, sending: Sending): Promise<void> {
  return (await import('./ping.ts')).sendStart(target, sending);
}

/** The text of metrics: a step without any needs no Prometheus client. */
export async function loadMetricsText() {
  return await import('./metrics-text.ts');
}
