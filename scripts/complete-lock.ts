/**
 * Adds to package-lock.json what npm leaves out when a registry does not carry every platform's
 * build of a package: `npm ci` then refuses the lock on every platform. Run it after `npm install`.
 * The entries have no integrity, and none is ever installed on Linux for x64 or arm64 with glibc.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Entry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, Entry> };

for (const [name, { version, dev }] of missingBuilds(lock.packages)) {
  const folder = `node_modules/${name}`;
  lock.packages[folder] = { version, ...(dev === true && { dev }), optional: true, ...platformOf(name) };
  process.stdout.write(`added ${name} ${version}\n`);
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`);

function missingBuilds(
  packages: Readonly<Record<string, Entry>>,
): [string, { version: string; dev: boolean | undefined }][] {
  return Object.values(packages).flatMap(({ optionalDependencies = {}, dev }) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => packages[`node_modules/${name}`] === undefined)
      .map(([name, version]): [string, { version: string; dev: boolean | undefined }] => [name, { version, dev }]),
  );
}

/** Names of such packages end with platform, processor and C library. */
function platformOf(name: string): Record<string, string[]> {
  const parts = /(android|darwin|freebsd|linux|openharmony|win32)-(x64|arm64|arm|ia32|ppc64|riscv64|s390x)(.*)$/.exec(
    name,
  );
  if (parts === null) throw new Error(`${name} does not say which platform it is for.`);
  const [, os = '', cpu = '', rest = ''] = parts;
  if (os === 'linux' && /^(x64|arm64)$/.test(cpu) && !rest.includes('musl')) throw new Error(`${name} is needed here.`);
  const libc = rest.includes('musl') ? ['musl'] : rest.includes('gnu') ? ['glibc'] : undefined;
  return { os: [os], cpu: [cpu], ...(libc && { libc }) };
}
