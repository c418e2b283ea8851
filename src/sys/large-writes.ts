import { existsSync } from 'node:fs';
import type { Environment } from './environment.ts';

const BYTES = 1 << 20;
const STDBUF = ['/usr/libexec/coreutils/libstdbuf.so', '/usr/lib/coreutils/libstdbuf.so'].find((path) =>
  existsSync(path),
);

/**
 * For a program of the C library that writes much: its stdout is buffered by the megabyte, as `stdbuf -o1M` does it.
 * Otherwise every 4 KiB wake the reader; for pg_dump and the zstd behind it that is a tenth of their time (measured).
 * Empty where coreutils have no such library.
 */
export const largeWrites: Environment = STDBUF === undefined ? {} : { LD_PRELOAD: STDBUF, _STDBUF_O: String(BYTES) };
