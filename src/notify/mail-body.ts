import {
  changeSentence,
  headOf,
  icons,
  isFailure,
  moreSentence,
  type Notification,
  placeOf,
} from '../core/notification.ts';
import { oneLine, visible } from '../core/plain-text.ts';
import type { Finding } from '../core/report.ts';
import { describeFinding } from '../core/report-text.ts';

/** The part for readers without HTML. */
export function mailText(notification: Notification): string {
  const { headline, findings, run } = notification;
  const sections = [
    oneLine(headOf(notification)),
    introOf(notification).join('\n'),
    findings.map(describeFinding).join('\n\n'),
    moreSentence(notification, findings.length),
    headline.map(({ name, value }) => `${oneLine(name)}: ${oneLine(value)}`).join('\n'),
    run.url === undefined ? '' : `The run: ${run.url}`,
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

/** The same as HTML. Styles stand in the elements, since many programs take no others; nothing is loaded. */
export function mailHtml(notification: Notification): string {
  const { headline, findings, run, verdict } = notification;
  const color = isFailure(notification) ? '#b42318' : '#1a7f37';
  const intro = introOf(notification).map(html).join('<br>');
  const pairs = headline.map(({ name, value }) => `<b>${html(name)}:</b> ${html(value)}`).join('<br>');
  const more = moreSentence(notification, findings.length);
  const link = run.url === undefined ? '' : `<a href="${html(run.url)}">Open the run</a>`;
  const parts = [intro, ...findings.map(describe), more, pairs, link].filter((part) => part !== '');
  return [
    '<!doctype html><html><body style="font-family:sans-serif;font-size:14px;line-height:1.5">',
    `<h2 style="font-size:18px;color:${color}">${icons[verdict]} ${html(headOf(notification))}</h2>`,
    ...parts.map((part) => `<p>${part}</p>`),
    '</body></html>',
  ].join('\n');
}

function introOf(notification: Notification): string[] {
  const { sources } = notification;
  const names = sources.length === 0 ? '' : `${sources.length === 1 ? 'Source' : 'Sources'}: ${sources.join(', ')}`;
  return [changeSentence(notification), placeOf(notification), names].filter((line) => line !== '').map(oneLine);
}

function describe({ status, message, rule, subject, hint }: Finding): string {
  const where = subject === undefined ? '' : ` — ${html(subject)}`;
  const first = `${icons[status]} <b>${status}</b> ${inline(message)} <span style="color:#666">(${rule}${where})</span>`;
  return hint === undefined ? first : `${first}<br><b>What to do:</b> ${inline(hint)}`;
}

/** `code` between backticks is shown as code, since messages and hints write input names so. */
function inline(text: string): string {
  return html(text).replaceAll(/`([^`\n]+)`/g, '<code>$1</code>');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function html(text: string): string {
  return visible(text)
    .replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? '')
    .replaceAll('\n', '<br>');
}
