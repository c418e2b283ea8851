import { z } from 'zod';

const UNFINISHED = 'Lifeboat restore, unfinished, may be dropped: ';
const KEPT = 'Lifeboat restore, what was there before: ';
const LEFT = 'Lifeboat restore, not in its place: ';
const TEXTS = [
  [UNFINISHED, 'unfinished'],
  [KEPT, 'kept'],
  [LEFT, 'kept'],
] as const;

const Mark = z.object({
  /** Name of the target's database. */
  target: z.string(),
  /** Id of the restore. */
  restore: z.string(),
});

export interface RestoreMark extends z.output<typeof Mark> {
  readonly what: 'unfinished' | 'kept';
}

/**
 * A connection limit that nobody sets by hand. It is there from the first moment of a new database, and the comment
 * only a moment later: killed in between, a restore leaves a database that is known by its limit.
 */
export const BUILDING_LIMIT = 2_071_949;

/** The comment on a database that is being restored. */
export function unfinishedMark(target: string, restore: string): string {
  return UNFINISHED + JSON.stringify({ target, restore });
}

/** The comment on a database whose place a restored one took. */
export function keptMark(given: { target: string; restore: string; since: string; comment: string | null }): string {
  return KEPT + JSON.stringify(given);
}

/** The comment on a database that was restored and left beside the target for a person to look at. */
export function leftMark(given: { target: string; restore: string; why: string }): string {
  return LEFT + JSON.stringify(given);
}

/** What a comment says of a restore; undefined when it is none of ours. */
export function readMark(comment: string | null): RestoreMark | undefined {
  const [text, what] = TEXTS.find(([begin]) => comment?.startsWith(begin)) ?? [];
  if (comment === null || text === undefined) return undefined;
  try {
    return { ...Mark.parse(JSON.parse(comment.slice(text.length))), what };
  } catch {
    return undefined; // not as we write it
  }
}
