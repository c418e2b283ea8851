/**
 * What each field of a stored record means, for docs/FORMAT.md. The schemas in src/core say which
 * fields there are and of what type; the generator fails when a field has no sentence here, or a
 * sentence no field.
 */

export const manifestSentences = {
  format: 'Version of the format.',
  id: 'Id of the backup, the name of its folder.',
  source: 'Name of the source, the folder above.',
  engine: 'What kind of server it is of.',
  kind: 'What it is made of. This version of the program writes `logical`.',
  scope: 'Which part of the source it holds.',
  takenAt:
    "Moment of the dump's snapshot, by the database server's clock; on a standby, of the last replayed transaction. Data loss counts from here.",
  finishedAt: "When the last artifact was in the store, by the runner's clock.",
  durationSeconds: 'Seconds from the beginning to `finishedAt`.',
  server: 'Where it was taken, and what a dump does not hold of the database itself.',
  'server.version': 'As the server says it, e.g. `15.20`.',
  'server.major': 'Its first number.',
  'server.systemIdentifier': 'Identifier of the cluster (`pg_control_system()`); null when it may not be read.',
  'server.host': 'Host as psql resolved it; an absolute path is a folder of sockets.',
  'server.port': 'Port.',
  'server.database': 'Name of the database.',
  'server.owner': 'Its owner.',
  'server.acl': 'Its privileges (`pg_database.datacl`) as text; null when nobody ever changed them.',
  'server.connectionLimit': 'Its limit of connections; -1 for none.',
  'server.settings':
    '`ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`. Empty when the backup is encrypted, or when they are very long: values may be secrets, and are then in the facts alone, if there are any.',
  'server.settings[].role': "Role it is for; null for the database's own.",
  'server.settings[].setting': '`name=value`, as the catalog holds it.',
  'server.encoding': 'Its encoding, e.g. `UTF8`.',
  'server.localeProvider': 'Where its collations come from.',
  'server.collate': '`LC_COLLATE`.',
  'server.ctype': '`LC_CTYPE`.',
  'server.icuLocale': 'Locale of the provider `icu` or `builtin`.',
  'server.collationVersion': 'Version of the collation; a server with another one must rebuild indexes over text.',
  'server.bootstrapRole': 'The role that `initdb` made.',
  'server.standby': 'Whether it was taken from a standby.',
  'server.clockOffsetSeconds': 'Clock of the server minus clock of the runner, in seconds.',
  'server.timeline': 'Physical backups: the timeline.',
  'server.startLsn': 'Physical backups: where replay begins.',
  'server.endLsn': 'Physical backups: where it is consistent.',
  'server.walSegmentBytes': 'Physical backups: bytes of a WAL segment.',
  content: 'What was chosen, and what is not in it. The three lists are absent when the backup is encrypted.',
  'content.tables': 'The input `tables`.',
  'content.excludeTables': 'The input `exclude-tables`.',
  'content.excludeTableData': 'The input `exclude-table-data`.',
  'content.leftOut': 'What the backup does not hold.',
  'content.leftOut[].what': 'What.',
  'content.leftOut[].why': 'Why: an input, or a reason.',
  artifacts: 'The stored objects, in the order their writing began.',
  'artifacts[].role': 'What it is for.',
  'artifacts[].key': 'Its file name in the folder of the backup, so that the folder can be copied elsewhere as it is.',
  'artifacts[].format': 'What is inside compression and encryption.',
  'artifacts[].compression': 'What was applied first.',
  'artifacts[].encryption': 'What was applied last; null for nothing.',
  'artifacts[].encryption.type': 'The file format of age, `age-encryption.org/v1`, binary.',
  'artifacts[].encryption.recipients': 'The public keys it was encrypted to; any one of their secret keys decrypts it.',
  'artifacts[].bytes': 'Of the stored object.',
  'artifacts[].sha256': 'Of the stored object, so after compression and encryption.',
  'artifacts[].plainBytes': 'Before compression and encryption.',
  totals: 'For people, and for judging the next backup.',
  'totals.databaseBytes': 'Size of the database (`pg_database_size`), indexes and dead rows included.',
  'totals.tables': 'Tables whose rows were dumped.',
  'totals.rows': 'Rows in them; null without facts.',
  'totals.schemaObjects': 'Objects among the facts of the schema; 0 without facts.',
  'totals.keys': 'Redis: keys.',
  findings:
    'What was judged while it was made (see Findings): a backup that came out too small exists, and says so here.',
  client: 'The program that made the dump, e.g. `pg_dump 15.20`.',
  tool: 'The program that wrote this.',
  'tool.name': 'Its name.',
  'tool.version': 'Its version.',
  run: 'Where it ran (see Run).',
  labels: "The user's own labels.",
  signature: 'Reserved.',
} as const;

export const artifactRoles = {
  dump: 'The database, or the schema and some rows of it.',
  schema: 'The schema without rows.',
  'pre-data': 'Definitions that rows need, of a backup in parallel streams.',
  data: 'Rows: all with `data.dump`, of some tables with `data-01.dump`, `tables-data-01.dump`, ….',
  'post-data':
    'Indexes, constraints, triggers, of a backup in parallel streams; its section `post-data` is what is restored.',
  globals: 'Roles, memberships, tablespaces.',
  facts: 'What was true of the data in the snapshot.',
  base: 'A base backup. Reserved.',
  rdb: 'A Redis snapshot. Reserved.',
  aof: "Redis' append-only files. Reserved.",
} as const;

export const inProgressSentences = {
  format: 'Version of the format.',
  id: 'Id of the backup.',
  source: 'Name of the source.',
  startedAt: "When it began, by the runner's clock.",
  host: 'Name of the machine that makes it.',
  pid: 'Process that makes it.',
  run: 'Where it runs (see Run).',
} as const;

export const removingSentences = {
  format: 'Version of the format.',
  id: 'Id of the backup.',
  source: 'Name of the source.',
  startedAt: "When the removal began, by the runner's clock.",
} as const;

export const drillSentences = {
  format: 'Version of the format.',
  id: 'Id of the drill, also in the file name.',
  source: 'Name of the source.',
  backup: 'Id of the backup.',
  manifestSha256:
    'SHA-256 of the `manifest.json` that was drilled: the record says nothing of a copy with another one.',
  store: 'Location of the store whose bytes were restored, e.g. `s3://bucket/prefix`.',
  alsoRead: 'Locations of the other stores whose bytes were read back and had the same SHA-256.',
  startedAt: 'When it began.',
  finishedAt: 'When it was over.',
  restoreSeconds:
    'Seconds that fetching, decrypting, decompressing and restoring took together; null when it did not come to its end.',
  dataLossSeconds: 'Seconds from `takenAt` to `startedAt`, for a drill of the newest backup; otherwise null.',
  verdict: 'The worst finding.',
  proof: 'What the drill says of the backup itself: a missed limit or a failed assertion disproves nothing.',
  findings: 'What was judged (see Findings).',
  scratch: 'The server it was restored into.',
  'scratch.server': '`own`, or the location of the server given, without credentials.',
  'scratch.version': 'Its version.',
  'scratch.notIsolated': 'What could not be kept from it, a sentence each.',
  tool: 'The program that wrote this.',
  'tool.name': 'Its name.',
  'tool.version': 'Its version.',
  run: 'Where it ran (see Run).',
} as const;

export const pinSentences = {
  format: 'Version of the format.',
  reason: 'Why the backup must stay.',
  pinnedAt: 'Since when.',
  until: 'Until when, as in the file name; null for ever.',
  by: 'Who wanted it.',
} as const;

export const findingSentences = {
  rule: 'Id of the rule, from the list below; readers take unknown ones as they are.',
  status: 'What came out. `unknown`: it could not be judged.',
  message: 'A sentence, plain text; it may hold names from the database.',
  numbers:
    'What was measured and the limit it was measured against; the unit ends the name (`ageSeconds`, `limitBytes`, `limitShare`).',
  subject: 'What it is about, when that is not the backup as a whole: the location of a store, an artifact.',
  source: 'The source it speaks of, where several were judged.',
  hint: 'What to do next.',
} as const;

export const runSentences = {
  url: 'Page of the workflow run.',
  repository: '`owner/name`.',
  sha: 'Commit of the workflow.',
  actor: 'Who started it.',
  event: 'What started it, e.g. `schedule`.',
  runner: 'Name of the runner.',
} as const;

export const factsSentences = {
  format: 'Version of the format.',
  engine: 'What kind of server they are of.',
  level: 'Whether tables have fingerprints.',
  tables:
    'Tables whose rows this backup holds: ordinary tables and partitions; configuration tables of extensions with the rows the extension does not bring.',
  'tables[].name': '`schema.table`, each part quoted as SQL needs it.',
  'tables[].rows': 'Rows this backup holds.',
  'tables[].fingerprint': 'Of their values (see Fingerprint); absent at the level `counts`.',
  materializedViews: 'Materialized views.',
  'materializedViews[].name': '`schema.view`, quoted.',
  'materializedViews[].populated': 'Whether a restore populates it.',
  sequences:
    'Sequences. They are no part of a snapshot, so each was read before and after the dump; a restored value lies between.',
  'sequences[].name': '`schema.sequence`, quoted.',
  'sequences[].increment': 'Its increment, as text: a bigint does not fit a number.',
  'sequences[].cycle': 'Whether it starts over at its end.',
  'sequences[].before': 'Where it stood before the dump.',
  'sequences[].before.value': '`last_value`, as text.',
  'sequences[].before.isCalled': '`is_called`: whether the next value is one increment further.',
  'sequences[].after': 'Where it stood after the dump.',
  'sequences[].after.value': 'As above.',
  'sequences[].after.isCalled': 'As above.',
  schema: 'Every object of the schema.',
  'schema[].kind':
    '`table`, `column`, `index`, `constraint`, `trigger`, `function`, `view`, `type`, `grant`, `owner`, …',
  'schema[].identity': 'Which one, as SQL names it.',
  'schema[].digest':
    'First 32 hex digits of a SHA-256 over its definition without casts, parentheses and white space; compared between servers of one major only.',
  extensions: 'Extensions.',
  'extensions[].name': 'Name.',
  'extensions[].version': 'Version; told, and not compared.',
  'extensions[].schema': 'Schema, quoted.',
  roles: 'Roles that are not reserved ones.',
  'roles[].name': 'Name.',
  'roles[].attributes': 'Words as in `CREATE ROLE`, sorted.',
  'roles[].memberOf': 'Roles it is a member of, with ` WITH ADMIN` where granted so, sorted.',
  'roles[].settings': '`ALTER ROLE … SET` in all databases, `name=value`, sorted.',
  largeObjects: 'Large objects; null when this backup holds none of them (scopes `schema` and `tables`).',
  'largeObjects.count': 'How many.',
  'largeObjects.bytes': 'Their sizes together, holes counted.',
  settings: 'Settings of the database, as `server.settings` of the manifest.',
  'settings[].role': "Role it is for; null for the database's own.",
  'settings[].setting': '`name=value`.',
  migration: "The newest row of a migration tool's own table; null when there is none.",
  'migration.tool': 'Flyway, Liquibase, Rails, …',
  'migration.table': 'The table.',
  'migration.newest': 'The row.',
} as const;
