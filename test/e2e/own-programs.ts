import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder } from './failures-step.ts';

const PROGRAMS = '/usr/lib/postgresql/15/bin';

/** For `bin-dir`: PostgreSQL's programs, and in the place of one of them this script, which still says its version. */
export function programsWith(program: string, script: string): string {
  const folder = newFolder();
  for (const name of readdirSync(PROGRAMS).filter((one) => one !== program))
    symlinkSync(join(PROGRAMS, name), join(folder, name));
  const version = `case "$*" in *--version*) exec ${join(PROGRAMS, program)} "$@" ;; esac`;
  writeFileSync(join(folder, program), `#!/bin/sh\n${version}\n${script}\n`, { mode: 0o755 });
  return folder;
}
