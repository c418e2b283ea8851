import { flag, lines, text, timespan } from '../inputs.ts';

/** Inputs that several actions have, and which mean the same in each. */
export const ofBackups = {
  backup: text('Which backup: `latest`, `oldest`, `random`, or an id.'),
  tables: lines(
    'Tables, one a line: exact names, case kept, `*` and `?` as wildcards; each line must match. `backup` keeps the whole schema and only the rows of these; `restore` brings only these back, into the schema `into-schema`.',
  ),
  'schema-only': flag('Only the schema, no rows.'),
  'data-only': flag(
    'Only the rows. A backup stores the schema they need beside them; `restore` puts them into tables that are there and empty.',
  ),
  'age-recipients': lines(
    'Public keys of age (`age1…`) that backups are encrypted to, one a line. The backup that `restore` takes of its target is encrypted to those of the backup restored when empty.',
    { env: true },
  ),
  'dry-run': flag('Show the plan and do nothing.'),
  'max-duration': timespan('Recovery time objective: the longest a restore may take, e.g. `30m`.'),
} as const;
