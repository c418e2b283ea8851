import { z } from 'zod';
import { groupNames } from '../core/rule-groups.ts';

/** What an issue is of. With the repository it lies in, there is one open issue for each. */
export const IssueKey = z.object({ source: z.string(), action: z.string(), group: z.enum(groupNames) });
export type IssueKey = z.output<typeof IssueKey>;

/**
 * What an issue remembers from run to run, in a comment that nobody sees: a runner keeps nothing.
 * People can edit it, so it is read as foreign text.
 */
export const IssueMarker = z.object({
  ...IssueKey.shape,
  /** When this outage began. */
  since: z.iso.datetime(),
  /** Runs in which it was seen, in this outage. */
  runs: z.int().min(1),
  /** How often it came back within days after it was over. */
  returns: z.int().min(0),
  /** When people were last told: the opening, or a comment. */
  toldAt: z.iso.datetime(),
  /** As it was last written; one that a person changed stays. */
  title: z.string(),
  /** Stores, workflows or the job it speaks of: where none was looked at again, nobody knows that it is over. */
  about: z.array(z.string()).max(100),
});
export type IssueMarker = z.output<typeof IssueMarker>;

const END = '<!-- /lifeboat -->';
const BLOCK = /<!-- lifeboat (\{[^\n]*\}) -->[\s\S]*?<!-- \/lifeboat -->/;

/** The marker in the body of an issue; undefined where there is none that can be read. */
export function readMarker(body: string): IssueMarker | undefined {
  const json = BLOCK.exec(body)?.[1];
  if (json === undefined) return undefined;
  try {
    return IssueMarker.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined; // Somebody edited it: an issue like any other.
  }
}

/** Puts our block into a body: in place of the one before it, so that what people wrote around it stays. */
export function putBlock(body: string, marker: IssueMarker, markdown: string): string {
  const block = `${openingOf(marker)}\n${markdown}\n${END}`;
  // As a function: in a text for `replace`, `$&` would mean something.
  return BLOCK.test(body) ? body.replace(BLOCK, () => block) : block;
}

/** How many characters of a body are not ours to cut. */
export function lengthAround(body: string, marker: IssueMarker): number {
  const around = BLOCK.test(body) ? body.replace(BLOCK, '').length : 0;
  return around + openingOf(marker).length + END.length + 2;
}

/** No text in it can end the comment, or begin another. */
function openingOf(marker: IssueMarker): string {
  const json = JSON.stringify(marker).replaceAll(/[<>-]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
  return `<!-- lifeboat ${json} -->`;
}

export function isSameKey(one: IssueKey, other: IssueKey): boolean {
  return one.source === other.source && one.action === other.action && one.group === other.group;
}
