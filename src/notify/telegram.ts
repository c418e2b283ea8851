import { z } from 'zod';
import { changeSentence, headOf, icons, moreSentence, type Notification, placeOf } from '../core/notification.ts';
import type { TelegramTarget } from '../core/notify-target.ts';
import { clip, oneLine } from '../core/plain-text.ts';
import type { Finding } from '../core/report.ts';
import { escaped, escapedUrl } from './escape.ts';
import { type Answer, isTaken, notTaken, post, type Sending } from './http.ts';
import type { Message } from './message.ts';

/** Of a message, https://core.telegram.org/bots/api#sendmessage; counted there without tags. */
const LONGEST = 4_096;

/** @throws {Failure} `not-delivered`, `timed-out` */
export async function sendTelegram(target: TelegramTarget, { notification }: Message, sending: Sending): Promise<void> {
  const { label, token, chat, thread, endpoint } = target;
  const body = JSON.stringify({
    chat_id: chat,
    ...(thread !== undefined && { message_thread_id: thread }),
    text: telegramText(notification),
    parse_mode: 'HTML',
    link_preview_options: { is_disabled: true },
  });
  const url = `${endpoint}/bot${token}/sendMessage`;
  const headers = { 'content-type': 'application/json' };
  const pauseIn = (answer: Answer) => errorOf(answer)?.parameters?.retry_after;
  const answer = await post({ label, url, headers, body, pauseIn }, sending);
  if (isTaken(answer)) return;
  const said = (errorOf(answer)?.description ?? '').replaceAll(token, '***');
  throw notTaken(label, answer, clip(oneLine(said), 200), hintFor(answer, target));
}

/** As HTML of Telegram. Findings are left out as a whole: a message with half a tag is refused. */
export function telegramText(notification: Notification, longest = LONGEST): string {
  const head = `<b>${icons[notification.verdict]} ${inline(oneLine(headOf(notification)), 400)}</b>`;
  const intro = [changeSentence(notification), placeOf(notification), sourcesOf(notification)]
    .filter((line) => line !== '')
    .map((line) => inline(line, 300));
  const { url } = notification.run;
  const link = url === undefined ? '' : `<a href="${escapedUrl(url)}">Open the run</a>`;
  const start = [head, ...intro].join('\n');
  const findings: string[] = [];
  const whole = () =>
    [start, ...findings, [moreSentence(notification, findings.length), link].filter((line) => line !== '').join('\n')]
      .filter((part) => part !== '')
      .join('\n\n');
  for (const finding of notification.findings) {
    findings.push(describe(finding));
    if (whole().length <= longest) continue;
    findings.pop();
    break;
  }
  return whole();
}

function sourcesOf({ sources }: Notification): string {
  return sources.length === 0 ? '' : sources.slice(0, 10).join(', ');
}

function describe({ status, message, rule, hint }: Finding): string {
  const first = `${icons[status]} <b>${status}</b> ${inline(message, 600)} (${rule})`;
  return hint === undefined ? first : `${first}\n<b>What to do:</b> ${inline(hint, 400)}`;
}

/** `code` between backticks is shown as code, since messages and hints write input names so. */
function inline(text: string, limit: number): string {
  return escaped(text, limit).replaceAll(/`([^`\n]+)`/g, '<code>$1</code>');
}

const TelegramError = z.object({
  description: z.string().optional(),
  parameters: z.object({ retry_after: z.number().optional(), migrate_to_chat_id: z.number().optional() }).optional(),
});

function errorOf({ body }: Answer): z.output<typeof TelegramError> | undefined {
  try {
    return TelegramError.parse(JSON.parse(body));
  } catch {
    return undefined; // Not from Telegram, but from something before it.
  }
}

function hintFor(answer: Answer, { chat }: TelegramTarget): string {
  const { description = '', parameters } = errorOf(answer) ?? {};
  const moved = parameters?.migrate_to_chat_id;
  if (moved !== undefined) return `The group became a supergroup. Write its new number, ${moved}, into \`notify\`.`;
  if (answer.status === 401 || answer.status === 404) {
    return 'The token is wrong or was revoked. Ask @BotFather for it, and put it into the secret.';
  }
  if (/chat not found/i.test(description)) {
    return `There is no chat ${chat} for this bot. Add the bot to it, or write to the bot once; numbers of groups are negative.`;
  }
  if (answer.status === 403) return `The bot was removed from ${chat} or blocked there. Add it again.`;
  return 'Check token, chat and, for a group with topics, `thread`.';
}
