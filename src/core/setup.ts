/** What `lifeboat init` was told: everything that files are written from. */
export interface Setup {
  readonly source: string;
  /** URLs. */
  readonly stores: readonly string[];
  /** Of the first store in a bucket that names one. */
  readonly region: string;
  /** Public keys of age; empty: backups are not encrypted. */
  readonly recipients: readonly string[];
  /** ARN of the roles or users of the jobs, without `-backup`, `-read`, `-drill`, `-prune`, `-doctor`. */
  readonly principal: string;
  /** Labels of the runner. */
  readonly runsOn: readonly string[];
  /** Cron of the backup. */
  readonly schedule: string;
  /** Keep rules as they were typed, in their order; empty: nothing is pruned. */
  readonly keep: readonly (readonly [name: string, value: string])[];
  readonly timeZone: string;
  /** Role of the database. */
  readonly role: string;
}

/** A file to be written, below the folder that was asked for. */
export interface SetupFile {
  readonly path: string;
  readonly text: string;
  /** What it is for, and what to do with it. */
  readonly purpose: string;
}

/** The secret that holds the URL of the database: `ORDERS_DATABASE_URL`. */
export function urlSecretOf(source: string): string {
  const name = `${source.replaceAll('-', '_').toUpperCase()}_DATABASE_URL`;
  // Names of secrets begin with no digit, and not with GITHUB_.
  return /^(\d|GITHUB_)/.test(name) ? `DB_${name}` : name;
}

/** The secret that holds the URL of the database to restore into, with a role that may create databases. */
export function restoreSecretOf(source: string): string {
  return urlSecretOf(source).replace(/_DATABASE_URL$/, '_RESTORE_URL');
}

export interface Bucket {
  readonly name: string;
  /** Empty, or ending with a slash. */
  readonly prefix: string;
  /** The query of its URL. */
  readonly parameters: URLSearchParams;
}

/** Buckets of the stores, in their order. */
export function bucketsOf(stores: readonly string[]): Bucket[] {
  return stores.flatMap((store) => {
    const [, name, path = '', query = ''] = /^s3:\/\/([^/?]+)\/?([^?]*)\??(.*)$/.exec(store) ?? [];
    if (name === undefined) return [];
    const prefix = decodeURIComponent(path).replace(/\/$/, '');
    return [{ name, prefix: prefix === '' ? '' : `${prefix}/`, parameters: new URLSearchParams(query) }];
  });
}

/** Whether jobs get a session by OIDC; else they have keys of users. */
export function hasSessions({ principal }: Pick<Setup, 'principal'>): boolean {
  return principal.includes(':role/');
}
