/** What to do where a connection goes through a pooler that cannot carry a backup. */
export const PAST_THE_POOLER =
  'Give in `database-url` the port of PostgreSQL itself, or of a pool in session mode (PgBouncer then needs `ignore_startup_parameters = options`): a snapshot lives in one session.';
