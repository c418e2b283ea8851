import { visible } from '../core/plain-text.ts';

/** Zero width: nobody sees it, and what it stands in is no name or link any more. */
const BREAK = '\u200b';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * Foreign text for Slack and Telegram, which escape the same three characters. Nothing in it can open a
 * tag, mention anybody or become a link; Mattermost would read `@channel` and Markdown images in it.
 *
 * @param limit most characters of the result, which never ends within an entity
 */
export function escaped(text: string, limit: number): string {
  let shown = '';
  for (const char of unlinked(visible(text))) {
    const next = ENTITIES[char] ?? char;
    if (shown.length + next.length >= limit) return `${shown}…`;
    shown += next;
  }
  return shown;
}

function unlinked(text: string): string {
  return text
    .replaceAll(/([@#])(?=[\p{L}\p{N}_])/gu, `$1${BREAK}`)
    .replaceAll(/(https?|ftp|mailto|tg|xmpp):/gi, `$1${BREAK}:`)
    .replaceAll(/www\./gi, `www${BREAK}.`)
    .replaceAll('](', `]${BREAK}(`);
}

/** An address that we made ourselves, for the inside of a link. */
export function escapedUrl(url: string): string {
  return (URL.parse(url)?.href ?? '').replaceAll(/[&<>"|]/g, (char) => ENTITIES[char] ?? encodeURIComponent(char));
}
