import { Failure } from '../../core/failure.ts';

/** What is said of a failed connection names `database-url`, and there is none in a restore. */
export async function aboutTarget<T>(connecting: Promise<T>): Promise<T> {
  return connecting.catch((error: unknown) => {
    if (!(error instanceof Failure) || !/`database-url`/.test(`${error.message} ${error.hint}`)) throw error;
    const hint = error.hint?.replaceAll('`database-url`', '`target-url`');
    throw new Failure(error.code, error.message.replaceAll('`database-url`', '`target-url`'), {
      cause: error,
      ...(hint !== undefined && { hint }),
    });
  });
}

/** A statement that the target server refused, in words that say what it was for. */
export async function refusedAs<T>(doing: Promise<T>, what: string, hint: string): Promise<T> {
  return doing.catch((error: unknown) => {
    if (!(error instanceof Failure) || error.code === 'stalled' || error.code === 'cancelled') throw error;
    throw new Failure('target-failed', `${what}: ${error.message}`, { cause: error, hint });
  });
}

export function missingExtensions(missing: readonly string[]): Failure {
  const verb = missing.length === 1 ? 'extension is' : 'extensions are';
  const message = `The backup needs what is not installed on the target server: the ${verb} ${missing.join(', ')}.`;
  return new Failure('guard-refused', message, {
    hint: "Install there the packages the source's server has (Debian: postgresql-contrib for those of PostgreSQL itself, postgresql-<major>-<extension>, e.g. postgresql-16-postgis-3), and restore again.",
  });
}
