import { changeSentence, headOf, icons, moreSentence, type Notification, placeOf } from '../core/notification.ts';
import type { SlackTarget } from '../core/notify-target.ts';
import { oneLine } from '../core/plain-text.ts';
import type { Finding } from '../core/report.ts';
import { escaped, escapedUrl } from './escape.ts';
import { type Answer, isTaken, notTaken, post, type Sending } from './http.ts';
import type { Message } from './message.ts';

// Limits of Block Kit: 50 blocks, 150 characters in a header, 3,000 in a section; the cuts below add up to less.
// https://docs.slack.dev/reference/block-kit/blocks
const LONGEST_HEADER = 150;
/** More than that nobody reads in a chat. */
const MAX_FINDINGS = 10;
/** Of the text, which is shown where blocks are not: in previews, and by compatible servers. */
const LONGEST_TEXT = 12_000;

/** @throws {Failure} `not-delivered`, `timed-out` */
export async function sendSlack(target: SlackTarget, { notification }: Message, sending: Sending): Promise<void> {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  const body = JSON.stringify(slackMessage(notification));
  const answer = await post({ label: target.label, url: target.url, headers, body }, sending);
  if (!isTaken(answer)) throw notTaken(target.label, answer, saidBy(answer), hintFor(saidBy(answer)));
}

export function slackMessage(notification: Notification) {
  const head = `${icons[notification.verdict]} ${oneLine(headOf(notification))}`;
  const intro = introOf(notification);
  const findings = notification.findings.slice(0, MAX_FINDINGS).map(describe);
  const rest = restOf(notification);
  const header = { type: 'header', text: { type: 'plain_text', text: escaped(head, LONGEST_HEADER), emoji: false } };
  const text = [`*${escaped(head, 300)}*`, intro, ...findings, rest].filter((part) => part !== '').join('\n\n');
  return {
    text: text.length > LONGEST_TEXT ? [`*${escaped(head, 300)}*`, intro, rest].join('\n\n') : text,
    blocks: [header, ...[intro, ...findings, rest].filter((part) => part !== '').map(section)],
    unfurl_links: false,
    unfurl_media: false,
  };
}

function section(text: string) {
  // Verbatim: Slack looks for neither links nor names of channels.
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}

function introOf(notification: Notification): string {
  const { headline, sources } = notification;
  const numbers = headline.map(({ name, value }) => `${name}: ${value}`).join(' · ');
  const where = [placeOf(notification), ...sources.slice(0, 10)].join(' · ');
  return [changeSentence(notification), where, numbers]
    .filter((line) => line !== '')
    .map((line) => escaped(oneLine(line), 900))
    .join('\n');
}

function describe({ status, message, rule, subject, hint }: Finding): string {
  const where = subject === undefined ? '' : ` — ${escaped(oneLine(subject), 300)}`;
  const first = `${icons[status]} *${status}* ${escaped(message, 1_400)} (${rule}${where})`;
  return hint === undefined ? first : `${first}\n*What to do:* ${escaped(hint, 1_000)}`;
}

function restOf(notification: Notification): string {
  const { url } = notification.run;
  const shown = Math.min(notification.findings.length, MAX_FINDINGS);
  const link = url === undefined ? '' : `<${escapedUrl(url)}|Open the run>`;
  return [moreSentence(notification, shown), link].filter((line) => line !== '').join('\n');
}

/** Slack says one word, e.g. `no_service`. */
function saidBy({ body }: Answer): string {
  return /^[a-z_]{2,60}$/.test(body.trim()) ? body.trim() : '';
}

// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
const HINTS: Readonly<Record<string, string>> = {
  no_service: 'The webhook was revoked or its app removed. Make a new one, and put its URL into the secret.',
  no_active_hooks: 'The webhook was switched off. Make a new one, and put its URL into the secret.',
  no_team: 'The workspace is not there. Make a webhook in the one you use, and put its URL into the secret.',
  invalid_token: 'Copy the whole URL of the incoming webhook again; a part of it is missing or wrong.',
  channel_not_found: 'The channel was removed. Make a webhook for another one.',
  channel_is_archived: 'The channel was archived. Make a webhook for another one.',
  action_prohibited: 'The workspace forbids this webhook to post. Ask one of its administrators.',
};

function hintFor(said: string): string {
  return HINTS[said] ?? 'Check that the whole URL of the incoming webhook was copied, and that it still exists.';
}
