import { Failure } from '../core/failure.ts';
import { IN_PROGRESS, REMOVING } from '../core/keys.ts';

const MARKS = [IN_PROGRESS, REMOVING];

/** Objects are written once; only the marks of a backup that is being made or removed change while it is. */
export function isRewritten(key: string): boolean {
  return MARKS.some((mark) => key === mark || key.endsWith(`/${mark}`));
}

export function alreadyThere(what: string): Failure {
  return new Failure('store-denied', `${what} exists already, and objects are written once.`, {
    hint: 'Two runs wrote the same backup, or a clock was set back: let one source be backed up by one job.',
  });
}
