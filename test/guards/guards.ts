/** A guard of the program, and the test that must turn red without it. */
export interface Guard {
  readonly what: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly guard: string;
  /** What stands there once the guard is gone. */
  readonly without: string;
  readonly test: string;
  /** The test runs the bundle: it is built anew. */
  readonly isBuilt?: boolean;
}

/** What stands between a fault or a damage and its harm, one at a time. */
export const guards: readonly Guard[] = [
  {
    what: 'what is read is compared with its size and SHA-256',
    file: 'src/core/fetch-artifact.ts',
    guard: "what = differenceFrom(artifact, { bytes, sha256: hash.copy().digest('hex') });",
    without: 'what = undefined;',
    test: 'test/core/fetch-artifact.test.ts',
  },
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
    what: "psql's commands in a globals file reach no shell",
    file: 'src/engines/postgresql/globals.ts',
    guard: "!token.startsWith('--') && !(token.startsWith('\\\\') && isBlank)",
    without: "!token.startsWith('--')",
    test: 'test/engines/postgresql/globals.test.ts',
  },
  {
    what: 'a key in a manifest is a plain file name',
    file: 'src/core/manifest.ts',
    guard: ".regex(/^(?!\\.)[A-Za-z0-9_-][A-Za-z0-9._-]*$/, 'Expected a plain file name')",
    without: '',
    test: 'test/hostile/records.test.ts',
  },
  {
    what: 'foreign text in a summary is escaped',
    file: 'src/github/markdown.ts',
    guard: "return text.replaceAll(/[&<>]/g, (char) => ENTITIES[char] ?? '');",
    without: 'return ENTITIES === undefined ? "" : text;',
    test: 'test/hostile/summary.property.test.ts',
  },
  {
    what: 'a store keeps what it began only under a temporary name',
    file: 'src/stores/local-write.ts',
    guard: 'await rm(temporary, { force: true }).catch(() => {});',
    without: '',
    test: 'test/stores/local.test.ts',
  },
  {
    what: 'what was written to a disk is read back',
    file: 'src/stores/local-write.ts',
    guard: "if (hash.digest('hex') === written.sha256) return;",
    without: "if (hash.digest('hex') !== '') return;",
    test: 'test/stores/local.test.ts',
  },
  {
    what: 'a request that met a passing error is sent again',
    file: 'src/stores/s3-access.ts',
    guard: 'const ATTEMPTS = 4;',
    without: 'const ATTEMPTS = 1;',
    test: 'test/stores/s3-faults.test.ts',
  },
  {
    what: 'what a store holds after an upload is compared with what was sent',
    file: 'src/stores/s3-upload.ts',
    guard: 'if (state?.bytes === this.#bytes) return state.tag;',
    without: 'if (state !== undefined) return state.tag;',
    test: 'test/stores/s3-faults.test.ts',
  },
  {
    what: 'nothing is pruned where nothing is proven',
    file: 'src/core/prune-judgement.ts',
    guard: 'mayRemove: !unproven && !tooMany',
    without: 'mayRemove: !tooMany',
    test: 'test/actions/prune.test.ts',
  },
  {
    what: 'a plan that removes too much is refused',
    file: 'src/core/prune-judgement.ts',
    guard: 'mayRemove: !unproven && !tooMany',
    without: 'mayRemove: !unproven',
    test: 'test/actions/prune.test.ts',
  },
  {
    what: 'code of a dump has no network',
    file: 'src/engines/postgresql/isolation.ts',
    guard: "{ words: ['unshare', ...OWN_NAMESPACES, '--', 'sh', '-c', HIDE, 'sh', ...rights], isolates: 'all' },",
    without: "{ words: ['env', `LEFT=${OWN_NAMESPACES}${HIDE}`.slice(0, 5), ...rights], isolates: 'all' },",
    test: 'test/hostile/code.it.test.ts',
    isBuilt: true,
  },
  {
    what: 'a secret is taken out of what is shown',
    file: 'src/github/masks.ts',
    guard: "rest.replaceAll(secret, '***')",
    without: 'rest.replaceAll(secret, secret)',
    test: 'test/github/masks.test.ts',
  },
  {
    what: 'a backup exists only with its manifest',
    file: 'src/core/catalog.ts',
    guard: 'return backup.manifestBytes !== undefined;',
    without: "return backup.id !== '';",
    test: 'test/core/catalog.test.ts',
  },
];
