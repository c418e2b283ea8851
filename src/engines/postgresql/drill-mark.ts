import { hostname } from 'node:os';
import { isAlive, ownIdentity, ProcessIdentity } from '../../sys/process-identity.ts';

const TEXT = 'Lifeboat drill, may be dropped: ';
/** How every database of a drill is named; with the comment it is what makes one ours to drop. */
export const DRILL_PREFIX = 'lifeboat_drill_';

/** Small letters and digits, so that nobody has to quote it. */
export function drillDatabase(drillId: string): string {
  return DRILL_PREFIX + drillId.toLowerCase().replaceAll(/[^a-z0-9]/g, '_');
}

/** The comment on a drill's database and roles: whose they are, so that a later run knows the dead ones. */
export function drillMark(drillId: string): string {
  return TEXT + JSON.stringify({ drill: drillId, host: hostname(), ...ownIdentity() });
}

/** Whether the run that left this mark is known to be over; false for what bears no mark or is not ours to judge. */
export function isDeadMark(comment: string | null): boolean {
  if (comment === null || !comment.startsWith(TEXT)) return false;
  try {
    const mark: unknown = JSON.parse(comment.slice(TEXT.length));
    const identity = ProcessIdentity.parse(mark);
    const isHere = typeof mark === 'object' && mark !== null && 'host' in mark && mark.host === hostname();
    return isHere && isAlive(identity) === false;
  } catch {
    return false; // not as we write it
  }
}
