import type { Guard } from './guard.ts';

/** What stands between a store or a network that fails and a backup. */
export const storesGuards: readonly Guard[] = [
  {
    what: 'what is read is compared with its size and SHA-256',
    file: 'src/core/fetch-artifact.ts',
    guard: "what = differenceFrom(artifact, { bytes, sha256: hash.copy().digest('hex') });",
    without: 'what = undefined;',
    test: 'test/core/fetch-artifact.test.ts',
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
    what: 'a part is sent before its buffer is filled again',
    file: 'src/stores/s3-upload.ts',
    guard: '        underWay.delete(over);\n        room.give(bytes);\n      });',
    without: '        underWay.delete(over);\n      });\n      room.give(bytes);',
    test: 'test/stores/s3-faults.test.ts',
  },
  {
    what: 'no more buffers are made than there is room for',
    file: 'src/stores/part-buffers.ts',
    guard: 'if (this.#unmade === 0) return new Promise',
    without: 'if (this.#unmade === -1_000) return new Promise',
    test: 'test/stores/part-buffers.test.ts',
  },
  {
    what: 'a range that is short is read again',
    file: 'src/stores/s3-download.ts',
    guard: 'if (filled === wanted) return chunks;',
    without: 'if (filled <= wanted) return chunks;',
    test: 'test/stores/s3-faults.test.ts',
  },
  {
    what: 'a range is of the object that was looked up',
    file: 'src/stores/s3-download.ts',
    guard: '    IfMatch: `"${span.etag}"`,\n',
    without: '',
    test: 'test/stores/s3-faults.test.ts',
  },
  {
    what: 'a lost answer is made up for by looking',
    file: 'src/stores/s3-upload.ts',
    guard: 'if (isWhole && this.#options.signal?.aborted !== true) return { ETag: state?.tag };\n',
    without: '\n',
    test: 'test/stores/s3-faults.test.ts',
  },
  {
    what: 'a store that falls silent is given up',
    file: 'src/stores/s3-access.ts',
    guard: '    socketTimeout: idleMs,\n',
    without: '    socketTimeout: idleMs * 1_000,\n',
    test: 'test/stores/s3-faults.test.ts',
  },
  {
    what: 'expired credentials are told from wrong ones',
    file: 'src/stores/s3-errors.ts',
    guard: '  ExpiredToken: denied(SESSION),\n',
    without: '',
    test: 'test/stores/s3-faults.test.ts',
  },
  {
    what: 'a clock that is wrong is told from a right that is missing',
    file: 'src/stores/s3-errors.ts',
    guard: '  RequestTimeTooSkewed: denied(',
    without: '  RequestTimeIsSkewed: denied(',
    test: 'test/stores/s3-faults.test.ts',
  },
  {
    what: 'errors within a batch of deletions count',
    file: 'src/stores/s3-remove.ts',
    guard:
      "const errors = (answer.Errors ?? []).filter(({ Code }) => Code !== 'NoSuchKey' && Code !== 'NoSuchVersion');",
    without: "const errors = (answer.Errors ?? []).filter(({ Code }) => Code === 'NoSuchKey');",
    test: 'test/stores/s3-faults.test.ts',
  },
];
