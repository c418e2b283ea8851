import { Failure } from '../core/failure.ts';

/** What a store says that keeps only what is there now. */
export function noVersions(key: string, location: string): Failure {
  return new Failure('not-found', `${location} keeps no older versions, so there is none of ${key}.`, {
    hint: 'Take the backup from another store that holds it, or from a snapshot of the file system.',
  });
}
