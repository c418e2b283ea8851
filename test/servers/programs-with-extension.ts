import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EXTENSION = join(import.meta.dirname, '../sql/extension');

/**
 * PostgreSQL's programs of the distribution in a folder of their own, with the extension `lifeboat_shop`
 * among those that can be installed. The server finds its files relative to where it lies, so nothing
 * of the machine is touched.
 *
 * @returns the folder for `bin-dir`; the caller removes the rest with `remove`
 */
export function programsWithExtension(major = 15): { binDir: string; remove: () => void } {
  const home = mkdtempSync(join(tmpdir(), 'lb-ext-'));
  chmodSync(home, 0o755);
  const [lib, share] = [`/usr/lib/postgresql/${major}`, `/usr/share/postgresql/${major}`];
  mkdirSync(join(home, lib), { recursive: true });
  cpSync(join(lib, 'bin'), join(home, lib, 'bin'), { recursive: true });
  symlinkSync(join(lib, 'lib'), join(home, lib, 'lib'));
  mkdirSync(join(home, share, 'extension'), { recursive: true });
  linkAll(share, join(home, share), 'extension');
  linkAll(join(share, 'extension'), join(home, share, 'extension'));
  for (const name of readdirSync(EXTENSION)) {
    copyFileSync(join(EXTENSION, name), join(home, share, 'extension', name));
  }
  return { binDir: join(home, lib, 'bin'), remove: () => rmSync(home, { recursive: true, force: true }) };
}

function linkAll(from: string, to: string, except?: string): void {
  for (const name of readdirSync(from)) {
    if (name !== except) symlinkSync(join(from, name), join(to, name));
  }
}
