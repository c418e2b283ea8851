import type { Guard } from './guard.ts';

/** What stands between a drill and a false verdict, or somebody else's server. */
export const databasesGuards: readonly Guard[] = [
  {
    what: 'rows of each table are compared',
    file: 'src/core/compare-row-facts.ts',
    guard: 'one.expected?.rows === one.found?.rows',
    without: 'one.expected?.name === one.found?.name',
    test: 'test/core/compare-facts.test.ts',
  },
  {
    what: 'values of each table are compared',
    file: 'src/core/compare-row-facts.ts',
    guard: 'if (left !== right) differences.push',
    without: 'if (left === undefined) differences.push',
    test: 'test/core/compare-facts.test.ts',
  },
  {
    what: 'a drill refuses a server that is backed up here',
    file: 'src/engines/postgresql/drill-guard.ts',
    guard: 'if (why === undefined) continue;',
    without: 'if (why === undefined || why !== "") continue;',
    test: 'test/engines/postgresql/scratch-elsewhere.it.test.ts',
  },
  {
    what: 'a server that falls silent is given up',
    file: 'src/engines/postgresql/heartbeat.ts',
    guard: 'timer = setTimeout(() => silent.abort(heartbeat.fellSilent()), heartbeat.stallMs);',
    without: 'timer = setTimeout(() => void silent, heartbeat.stallMs);',
    test: 'test/engines/postgresql/target-killed.it.test.ts',
  },
  {
    what: 'a folder of a killed drill is removed',
    file: 'src/sys/scratch-dir.ts',
    guard: 'return alive ? undefined : `left by process ${owner.pid}, which is gone`;',
    without: 'return alive ? undefined : undefined;',
    test: 'test/sys/scratch-dir.test.ts',
  },
  {
    what: 'a folder of a live drill is left alone',
    file: 'src/sys/scratch-dir.ts',
    guard: 'return alive ? undefined : `left by process ${owner.pid}, which is gone`;',
    without: 'return `left by process ${owner.pid}, which is gone`;',
    test: 'test/sys/scratch-dir.test.ts',
  },
  {
    what: 'a scratch folder has an owner from the first moment',
    file: 'src/sys/scratch-dir.ts',
    guard: '  const half = halfName(dirname(path));\n  await mkdir',
    without: '  const half = path;\n  await mkdir',
    test: 'test/sys/scratch-dir.test.ts',
  },
  {
    what: 'a scratch server replicates from nobody',
    file: 'src/engines/postgresql/scratch-settings.ts',
    guard: "    max_logical_replication_workers: '0',\n",
    without: '',
    test: 'test/engines/postgresql/scratch.it.test.ts',
  },
];
