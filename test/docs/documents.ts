import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { root } from '../house/source-files.ts';

/** A document for users, by its path from the root: `docs/S3.md`. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

export function readDocument(path: string): Document {
  return { path, text: readFileSync(join(root, path), 'utf8') };
}

export const documents: readonly Document[] = ['README.md', 'CHANGELOG.md', ...globSync('docs/*.md', { cwd: root })]
  .toSorted()
  .map(readDocument);

/** Text of the fenced block that follows `<!-- marker -->`. */
export function blockAfter({ path, text }: Document, marker: string): string {
  const at = text.indexOf(`<!-- ${marker} -->`);
  const block = at < 0 ? null : /^<!-- [^\n]+ -->\n```\w*\n([\s\S]*?\n)```$/m.exec(text.slice(at));
  if (block?.[1] === undefined || block.index !== 0) throw new Error(`${path} has no block after ${marker}.`);
  return block[1];
}

/** Fenced blocks of a language, in their order. */
export function blocksIn({ text }: Document, language: string): string[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?\n)```$/gm)].flatMap(([, found, block = '']) =>
    found === language ? [block] : [],
  );
}

/** The part under a heading, up to the next one of its level or above. */
export function sectionOf({ path, text }: Document, heading: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const lines = text.split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`${path} has no heading "${heading}".`);
  const length = lines.slice(start + 1).findIndex((line) => new RegExp(`^#{1,${level}} `).test(line));
  return lines.slice(start, length < 0 ? undefined : start + 1 + length).join('\n');
}

/** Without fenced blocks and what a program wrote: the sentences. */
export function proseOf({ text }: Document): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/^> .*$/gm, '');
}

export interface Link {
  readonly from: string;
  readonly target: string;
}

/** Links of a document that lead to this repository. */
export function localLinksOf(document: Document): Link[] {
  const targets = [...proseOf(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target)).map((target) => ({ from: document.path, target }));
}

/** Where a link leads: a path from the root, and the anchor in it. */
export function resolveLink({ from, target }: Link): { path: string; anchor: string } {
  const [path = '', anchor = ''] = target.split('#');
  return { path: path === '' ? from : relative(root, resolve(root, dirname(from), path)), anchor };
}

/** Anchors as GitHub makes them of headings. */
export function anchorsOf(document: Document): Set<string> {
  const headings = [...proseOf(document).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => heading);
  const anchors = headings.map((heading) =>
    heading
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  const seen = new Map<string, number>();
  return new Set(
    anchors.map((anchor) => {
      const times = seen.get(anchor) ?? 0;
      seen.set(anchor, times + 1);
      return times === 0 ? anchor : `${anchor}-${times}`;
    }),
  );
}
