import { clip, visible } from './plain-text.ts';

/** Markup that `html` put together: whatever was foreign in it is escaped. */
export interface Html {
  readonly markup: string;
}

/** What can stand between the pieces of a template. `undefined` and `false` are nothing. */
export type Content = Html | string | number | false | undefined | readonly Content[];

/** Longest piece of foreign text in one place. */
const LONGEST = 2_000;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * HTML from a template. Text between the pieces is escaped for an element as well as for an attribute in
 * quotes; only what `html` itself made stands as markup.
 */
export function html(pieces: TemplateStringsArray, ...contents: readonly Content[]): Html {
  const parts = pieces.flatMap((piece, at) => [piece, markupOf(contents[at])]);
  return { markup: parts.join('') };
}

function markupOf(content: Content): string {
  if (content === undefined || content === false) return '';
  if (typeof content === 'number') return String(content);
  if (typeof content === 'string') return escapeHtml(content);
  return 'markup' in content ? content.markup : content.map(markupOf).join('');
}

function escapeHtml(text: string): string {
  return clip(visible(text), LONGEST).replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? '');
}

/** What code computed itself and nobody else can write: the path of a drawing, a style sheet. Not shortened, not escaped. */
export function computed(markup: string): Html {
  return { markup };
}

/** A message or hint: what stands between backticks is code, and its lines stay apart. */
export function prose(text: string): Html {
  const pieces = text.split(/`([^`\n]+)`/);
  return html`${pieces.map((piece, at) => (at % 2 === 0 ? withBreaks(piece) : html`<code>${piece}</code>`))}`;
}

function withBreaks(text: string): Content {
  return visible(text)
    .split('\n')
    .map((line, at) => [at > 0 && html`<br>`, line]);
}
