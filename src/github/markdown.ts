import { clip, oneLine, visible } from '../core/plain-text.ts';
import type { Column } from '../core/report.ts';

/** Longest piece of foreign text in one place; the rest is in the JSON report. */
const LONGEST = 2_000;

const BREAK = '&#8203;';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * Foreign text for the inside of a line, a list item or a table cell. Nothing in it can open HTML,
 * end a cell, format, mention, refer to an issue or make a link. `code` between backticks is shown
 * as code, since messages and hints write input names so.
 */
export function inline(text: string): string {
  return clip(visible(text), LONGEST)
    .split(/`([^`\n]+)`/)
    .map((piece, at) => (at % 2 === 0 ? escapePiece(piece) : `<code>${escapePiece(piece)}</code>`))
    .join('');
}

function escapePiece(text: string): string {
  return unlinked(escapeHtml(text.replaceAll(/[\\`*_~[\]|$]/g, (char) => `\\${char}`))).replaceAll('\n', '<br>');
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>]/g, (char) => ENTITIES[char] ?? '');
}

/**
 * GitHub looks for mentions, references and links after it has rendered the Markdown, so escaping
 * does not stop it; an invisible space inside does. Not only at the beginning of a word: `_` is none to it.
 */
function unlinked(text: string): string {
  return text
    .replaceAll(/#(?=\d)/g, `#${BREAK}`)
    .replaceAll(/(^|[^\w])@(?=\w)/g, `$1@${BREAK}`)
    .replaceAll(/GH-(?=\d)/gi, `$&${BREAK}`)
    .replaceAll(/(https?|ftp|mailto|xmpp):/gi, `$1${BREAK}:`)
    .replaceAll(/www\./gi, `www${BREAK}.`);
}

/** A table; numeric columns to the right. */
export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const head = line(columns.map(({ name }) => inline(name)));
  const rule = line(columns.map(({ numeric }) => (numeric ? '---:' : '---')));
  return [head, rule, ...rows.map((row) => line(columns.map((_, at) => inline(row[at] ?? ''))))].join('\n');
}

/** Folds Markdown under a title. The empty lines make GitHub read what is inside as Markdown again. */
export function folded(title: string, markdown: string): string {
  // Inside an HTML block Markdown is not read: a backslash would stand there as one.
  const summary = unlinked(escapeHtml(oneLine(clip(title, LONGEST))));
  return `<details><summary>${summary}</summary>\n\n${markdown}\n\n</details>`;
}
