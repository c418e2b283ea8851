import type { Guard } from './guard.ts';

/** What stands between a restore and the data that is there. */
export const restoresGuards: readonly Guard[] = [
  {
    what: 'a target is touched only when it is named',
    file: 'src/core/restore-guards.ts',
    guard: '  if (confirm !== undefined)\n    return [',
    without: '  if (confirm === "")\n    return [',
    test: 'test/core/restore-plan.test.ts',
  },
  {
    what: 'a target that is not named is refused',
    file: 'src/core/restore-guards.ts',
    guard: "      dryRun ? 'warn' : 'fail',",
    without: '      dryRun ? "warn" : "pass",',
    test: 'test/core/restore-plan.test.ts',
  },
  {
    what: 'a disproven backup is refused',
    file: 'src/core/restore-fitness.ts',
    guard: "finding('drill-proof', 'fail', message, {",
    without: "finding('drill-proof', 'pass', message, {",
    test: 'test/core/restore-plan.test.ts',
  },
  {
    what: 'what is lost is backed up first',
    file: 'src/core/restore-request.ts',
    guard: 'return safetyBackup ?? (losesTarget(way) && !database.isEmpty);',
    without: 'return safetyBackup ?? (losesTarget(way) && database.isEmpty);',
    test: 'test/core/restore-plan.test.ts',
  },
  {
    what: 'the backup of a target is read back',
    file: 'src/core/restore-safety.ts',
    guard: '  if (sound.length === 0) throw noneSound(report);\n',
    without: '  void noneSound;\n',
    test: 'test/core/restore-safety.test.ts',
  },
  {
    what: 'roles that are there keep all they have',
    file: 'src/engines/postgresql/target-create-roles.ts',
    guard: 'if (subject === undefined || !missing.has(subject)) continue;',
    without: 'if (subject === undefined || (sql.startsWith("CREATE ") && !missing.has(subject))) continue;',
    test: 'test/engines/postgresql/target-rights.it.test.ts',
  },
  {
    what: 'settings of roles and databases bend nothing',
    file: 'src/engines/postgresql/options.ts',
    guard: "  default_transaction_read_only: 'off',\n",
    without: '',
    test: 'test/engines/postgresql/target-odd.it.test.ts',
  },
  {
    what: 'a database gets the locale provider of the source',
    file: 'src/engines/postgresql/restore-database.ts',
    guard:
      "if (icuLocale === undefined || localeProvider === 'libc') return major >= 15 ? `${base} LOCALE_PROVIDER libc` : base;",
    without:
      "if (icuLocale === undefined || localeProvider === 'libc') return major >= 99 ? `${base} LOCALE_PROVIDER libc` : base;",
    test: 'test/engines/postgresql/target-odd.it.test.ts',
  },
  {
    what: 'nothing is dropped that bears no mark',
    file: 'src/engines/postgresql/target-drop.ts',
    guard: 'if (listed === undefined) {',
    without: 'if (listed === undefined && database === lent.name) {',
    test: 'test/engines/postgresql/target.it.test.ts',
  },
  {
    what: 'what a killed restore left is dropped',
    file: 'src/engines/postgresql/target-drop.ts',
    guard: '    await dropDatabase(lent.session, name);\n    lent.context',
    without: '    lent.context',
    test: 'test/engines/postgresql/target-killed.it.test.ts',
  },
  {
    what: 'two restores to one target exclude each other',
    file: 'src/engines/postgresql/target-lock.ts',
    guard: '  if (taken) return;\n',
    without: '  if (taken || !taken) return;\n',
    test: 'test/engines/postgresql/target-killed.it.test.ts',
  },
  {
    what: 'nobody enters a database that is not finished',
    file: 'src/engines/postgresql/target-database.ts',
    guard: '  if (user.superuser) await session.execute(`ALTER DATABASE ${name} CONNECTION LIMIT 0`);\n',
    without: '',
    test: 'test/engines/postgresql/target.it.test.ts',
  },
  {
    what: 'a swap changes all or nothing',
    file: 'src/engines/postgresql/target-swap.ts',
    guard: "  await session.execute('BEGIN');\n  try {\n    await session.execute(`SET LOCAL",
    without: '  try {\n    await session.execute(`SET LOCAL',
    test: 'test/engines/postgresql/target-swap.it.test.ts',
  },
  {
    what: 'prepared transactions are looked for before a swap',
    file: 'src/engines/postgresql/target-swap.ts',
    guard: '  await refusePrepared(session, [name, restored]);\n',
    without: '',
    test: 'test/engines/postgresql/target-swap.it.test.ts',
  },
  {
    what: 'subscriptions are not made to pull',
    file: 'src/engines/postgresql/restore-spooled.ts',
    guard: " '--no-subscriptions',",
    without: '',
    test: 'test/engines/postgresql/target-odd.it.test.ts',
  },
];
