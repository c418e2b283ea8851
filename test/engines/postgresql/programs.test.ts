import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseTarget } from '../../../src/engines/postgresql/connection.ts';
import { clientForMajor } from '../../../src/engines/postgresql/programs.ts';

/** A folder whose pg_dump says it is of this version. */
function binDir(version: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-bin-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'pg_dump'), `#!/bin/sh\necho 'pg_dump (PostgreSQL) ${version}'\n`);
  chmodSync(join(folder, 'pg_dump'), 0o755);
  return folder;
}

function dumpClient(version: string, major: number, allowNewer = false) {
  const connection = { url: 'postgresql://u@h/d', binDir: binDir(version) };
  return clientForMajor(connection, process.env, { major, program: 'pg_dump', allowNewer });
}

describe('the client of a server', () => {
  it.each(['16.4', '16.11 (Debian 16.11-1.pgdg12+1)', '16beta2'])('is one of its own major: %s', async (version) => {
    await expect(dumpClient(version, 16)).resolves.toMatchObject({ wrapped: false });
  });

  it('is refused when it is older, naming the package', async () => {
    const refused = dumpClient('15.20', 18);
    await expect(refused).rejects.toMatchObject({
      code: 'tool-version',
      hint: expect.stringContaining('postgresql-client-18'),
    });
    await expect(dumpClient('15.20', 18, true)).rejects.toThrow('is older than the server, which is 18');
  });

  it('is refused when it is newer, unless that is allowed', async () => {
    await expect(dumpClient('17.6', 15)).rejects.toThrow("the server's own major may not take such a dump back");
    await expect(dumpClient('17.6', 15, true)).resolves.toMatchObject({ wrapped: false });
  });

  it('is asked for its version where a prefix runs it', async () => {
    const folder = binDir('14.1');
    const connection = { url: '', toolsPrefix: ['env', `PATH=${folder}`] };
    await expect(
      clientForMajor(connection, process.env, { major: 15, program: 'pg_dump', allowNewer: false }),
    ).rejects.toThrow('pg_dump 14');
  });
});

it('names the folders that hold the program when `bin-dir` does not', async () => {
  const folder = binDir('16.4');
  const env = { PATH: `${folder}:/usr/bin:/bin` };
  const asked = { major: 16, program: 'pg_dump', allowNewer: false } as const;
  await expect(clientForMajor({ url: '', binDir: '/nonexistent' }, env, asked)).rejects.toMatchObject({
    code: 'tool-missing',
    message: expect.stringContaining('/nonexistent'),
    hint: expect.stringContaining(folder),
  });
});

it.each([
  ['Cannot connect to the Docker daemon at unix:///var/run/docker.sock.', '`docker ps`'],
  ['some other trouble', 'must run the program named after it'],
])('says what to do when the prefix fails with "%s"', async (said, hint) => {
  const connection = { url: '', toolsPrefix: ['sh', '-c', `echo "${said}" >&2; exit 1`] };
  const asked = clientForMajor(connection, process.env, { major: 15, program: 'pg_dump', allowNewer: false });
  await expect(asked).rejects.toMatchObject({
    code: 'tool-failed',
    message: expect.stringContaining(said),
    hint: expect.stringContaining(hint),
  });
});

describe('a database URL', () => {
  const whole = (url: string, more = {}) => parseTarget({ url, ...more }).dsn({ applicationName: 'life boat' });
  const dsn = (url: string, more = {}) => whole(url, more).replaceAll(/keepalives_\w+=\d+&/g, '');

  it.each([
    ['postgresql://app:se%40cret@db:5433/shop', 'postgresql://app@db:5433/shop?application_name=life%20boat'],
    [
      'postgres://db/shop?sslmode=verify-full&password=secret',
      'postgresql://db/shop?sslmode=verify-full&application_name=life%20boat',
    ],
    [
      'postgresql://a:x@one:5432,two:5433/shop?target_session_attrs=any',
      'postgresql://a@one:5432,two:5433/shop?target_session_attrs=any&application_name=life%20boat',
    ],
    [
      'postgresql:///shop?host=/var/run/postgresql',
      'postgresql:///shop?host=/var/run/postgresql&application_name=life%20boat',
    ],
    [
      'postgresql://u:p:q@[::1]:5432/x?application_name=theirs',
      'postgresql://u@[::1]:5432/x?application_name=life%20boat',
    ],
    ['', 'postgresql:///?application_name=life%20boat'],
  ])('%s becomes %s for the argument list', (url, expected) => {
    expect(dsn(url)).toBe(expected);
  });

  it.each([
    ['postgresql://app:se%40c%3Aret@db/shop', 'se@c:ret'],
    ['postgresql://db/shop?password=se%26cret', 'se&cret'],
    ['postgresql://u:p:q@db/x', 'p:q'],
    ['postgresql://db/shop', undefined],
  ])('%s has its password decoded for the environment', (url, password) => {
    expect(parseTarget({ url }).password).toBe(password);
  });

  it('makes a server that is gone be noticed, unless it says otherwise', () => {
    expect(whole('postgresql://db/shop?keepalives_idle=5')).toBe(
      'postgresql://db/shop?keepalives_idle=5&keepalives_interval=15&keepalives_count=4&application_name=life%20boat',
    );
  });

  it('loses its address when programs run elsewhere', () => {
    const given = 'postgresql://app@db.example.com:5433/shop?host=x&sslmode=disable';
    expect(dsn(given, { toolsPrefix: ['docker'] })).toBe(
      'postgresql://app@/shop?sslmode=disable&application_name=life%20boat',
    );
    expect(dsn(given, { toolsPrefix: ['docker'], toolsHost: 'db:5432' })).toContain('postgresql://app@db:5432/shop');
  });

  it.each([
    'mysql://u:geheim@h/x',
    'host=h password=geheim',
    'postgresql://u:geheim%zz@h/x',
    'postgresql://h/x?sslpassword=geheim',
  ])('is refused without being quoted: %s', (url) => {
    expect(() => parseTarget({ url })).toThrow('`database-url` (value hidden) cannot be used');
    expect(() => parseTarget({ url })).not.toThrow(/geheim/);
  });

  it.each([
    ['postgresql://lifeboat:Tr0ub@geheim@127.0.0.1:5432/orders', 'a password holds `@`: write it as `%40`'],
    ['postgresql://lifeboat:ge@he@im@[::1]:5432,h2/orders', 'a password holds `@`: write it as `%40`'],
    ['postgresql://lifeboat:geheim/x@127.0.0.1:5432/orders', 'a password holds `/` or `?`: write them as'],
    ['postgresql://lifeboat:geheim?x@127.0.0.1:5432/orders', 'a password holds `/` or `?`: write them as'],
    ['postgresql://127.0.0.1:geheim/orders', 'its port is not a number'],
  ])('with a password that was not encoded is refused with what to write: %s', (url, why) => {
    expect(() => parseTarget({ url })).toThrow(`(value hidden) cannot be used: ${why}`);
    expect(() => parseTarget({ url })).not.toThrow(/geheim|Tr0ub/);
  });

  it.each([
    'postgresql://app:x%40y@h1:1,h2,[::1],[::1]:2/shop?options=a@b',
    'postgresql://h/sh@p',
    'postgresql://%2Fvar%2Frun/x',
    'postgresql:///shop?host=/run&user=a@b',
  ])('takes what looks like it and is none: %s', (url) => {
    expect(() => parseTarget({ url })).not.toThrow();
  });
});
