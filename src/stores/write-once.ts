import { Failure } from '../core/failure.ts';
import { IN_PROGRESS } from '../core/keys.ts';

/** Objects are written once; only the note that a backup is being made changes while it is. */
export function isRewritten(key: string): boolean {
  return key === IN_PROGRESS || key.endsWith(`/${IN_PROGRESS}`);
}

export function alreadyThere(what: string): Failure {
  return new Failure('store-denied', `${what} exists already, and objects are written once.`, {
    hint: 'Two runs wrote the same backup, or a clock was set back: let one source be backed up by one job.',
  });
}
