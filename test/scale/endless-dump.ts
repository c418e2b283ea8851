import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestPostgres } from '../servers/postgresql.ts';

const BLOCK = 64 << 20;
export const GIB = 1 << 30;

/** A folder of programs in which `pg_dump` prints synthetic rows, as many bytes as asked for. */
export function dumpOf(bytes: number, folder: string, clientDir: string): string {
  const binDir = join(folder, 'bin');
  mkdirSync(binDir, { recursive: true });
  for (const program of ['psql', 'pg_dumpall', 'pg_restore'])
    symlinkSync(join(clientDir, program), join(binDir, program));
  // Repeated farther apart than zstd looks back, so that it compresses as rows do, by half.
  writeFileSync(join(folder, 'block'), randomBytes(BLOCK / 2).toString('hex'));
  const script = [
    '#!/bin/bash',
    `case " $* " in *" --version "*|*" -V "*) exec ${join(clientDir, 'pg_dump')} --version ;; esac`,
    "printf 'PGDMP\\001\\016\\000\\004\\010\\001'",
    `for ((i = 0; i < ${Math.ceil(bytes / BLOCK)}; i++)); do cat ${join(folder, 'block')} || exit 1; done`,
  ];
  writeFileSync(join(binDir, 'pg_dump'), `${script.join('\n')}\n`);
  chmodSync(join(binDir, 'pg_dump'), 0o755);
  return binDir;
}

/** A database with a table that says it takes this much room: files with holes. */
export async function databaseOf(bytes: number, server: TestPostgres, name: string): Promise<string> {
  await server.psql(`CREATE DATABASE ${name}`);
  await server.psql('CREATE TABLE rows AS SELECT 1 AS id; CHECKPOINT', name);
  const path = join(server.dataDir, await server.psql(`SELECT pg_relation_filepath('rows')`, name));
  for (let segment = 0; segment < Math.ceil(bytes / GIB); segment++) {
    const file = segment === 0 ? path : `${path}.${segment}`;
    if (segment > 0) writeFileSync(file, '');
    truncateSync(file, GIB);
  }
  return server.urlOf(name);
}
