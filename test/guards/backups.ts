import type { Guard } from './guard.ts';

/** What stands between a fault while a backup is made and its harm. */
export const backupsGuards: readonly Guard[] = [
  {
    what: 'each artifact is looked up again before the manifest',
    file: 'src/core/write-backup.ts',
    guard: '    await confirmArtifacts(writing);\n',
    without: '',
    test: 'test/core/write-backup.test.ts',
  },
  {
    what: 'a backup that failed is taken back',
    file: 'src/core/write-backup.ts',
    guard: '    await stores.discardAll();\n',
    without: '',
    test: 'test/actions/backup.it.test.ts',
  },
  {
    what: 'a source without a byte is given up',
    file: 'src/core/store-artifact.ts',
    guard: 'const stopWatching = watchBody(body, reading, { key, branches, options });',
    without: 'const stopWatching = () => void watchBody;',
    test: 'test/core/store-artifact.test.ts',
  },
  {
    what: 'the exit status of every program in a pipe counts',
    file: 'src/sys/process.ts',
    guard: 'const failure = rootFailure(exits);',
    without: 'const failure = rootFailure(exits.slice(-1));',
    test: 'test/sys/process.test.ts',
  },
  {
    what: 'programs end when this process is killed',
    file: 'src/sys/process.ts',
    guard: 'const [program, args] = parentDeath ? bound(command) : [command.program, [...command.args]];',
    without: 'const [program, args] = [parentDeath ? command.program : command.program, [...command.args]];',
    test: 'test/e2e/killed.it.test.ts',
    isBuilt: true,
  },
  {
    what: 'a table that was rewritten since the snapshot is noticed',
    file: 'src/engines/postgresql/snapshot.ts',
    guard: '  await refuseRewritten(session, selected.dumped);\n',
    without: '  void refuseRewritten;\n',
    test: 'test/engines/postgresql/snapshot.it.test.ts',
  },
  {
    what: 'tables are locked before they are dumped',
    file: 'src/engines/postgresql/snapshot.ts',
    guard: 'await session.execute(`LOCK TABLE ${names} IN ACCESS SHARE MODE`)',
    without: 'await session.execute(names === "" ? names : "SET LOCAL work_mem TO DEFAULT")',
    test: 'test/engines/postgresql/snapshot.it.test.ts',
  },
  {
    what: 'rows that row security hides are refused',
    file: 'src/engines/postgresql/snapshot.ts',
    guard: 'const hidden = tables.filter((one) => one.rowsHidden);',
    without: 'const hidden = tables.filter(() => false);',
    test: 'test/actions/backup.it.test.ts',
  },
  {
    what: 'two runs of one source exclude each other',
    file: 'src/engines/postgresql/source-lock.ts',
    guard: 'if (taken) return;',
    without: 'if (taken || !taken) return;',
    test: 'test/engines/postgresql/snapshot.it.test.ts',
  },
  {
    what: 'a backup exists only with its manifest',
    file: 'src/core/catalog.ts',
    guard: 'return backup.manifestBytes !== undefined;',
    without: "return backup.id !== '';",
    test: 'test/core/catalog.test.ts',
  },
];
