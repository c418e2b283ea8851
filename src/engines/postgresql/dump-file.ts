import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { DumpFile } from '../../core/adopt-port.ts';
import { Failure } from '../../core/failure.ts';
import { childEnvironment } from '../../sys/environment.ts';
import { readHead } from './archive-list.ts';
import { newPlainFacts, type PlainFacts, plainDumpReader, readLine } from './plain-dump.ts';
import { findInstallations } from './programs.ts';

const GZIP = Buffer.from([0x1f, 0x8b]);
const CUSTOM = Buffer.from('PGDMP');
/** Of a tar archive, where its first header says so. */
const TAR = { at: 257, magic: 'ustar' };
const HEAD_BYTES = 512;

interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly binDir: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads a dump once, from its first byte to its last: what it is, whether it is whole as far as a file can tell, and
 * what it says of where it comes from. Nothing of it is run.
 *
 * @throws {Failure} `invalid-input` for what is no dump of one database, `backup-invalid` for half of one
 */
export async function inspectDump(given: string, context: Context): Promise<DumpFile> {
  const path = resolve(given);
  const found = await stat(path).catch((cause: unknown) => {
    throw new Failure('invalid-input', `${path} cannot be read.`, {
      cause,
      hint: 'Check the path and its permissions.',
    });
  });
  if (!found.isFile())
    throw new Failure('invalid-input', `${path} is no file.`, { hint: 'Give the path of one dump.' });
  const isGzipped = (await firstBytes(path)).subarray(0, 2).equals(GZIP);
  const { head, facts, ...seen } = await readWhole(path, isGzipped, context.signal);
  const kind = kindOf(head, facts, path);
  const told = kind === 'sql' ? tellPlain(facts, path) : await tellArchive({ path, isGzipped }, context);
  const file = { path, name: basename(path), modifiedAt: found.mtime, format: kind, isGzipped };
  return { ...file, ...seen, ...told };
}

async function readWhole(path: string, isGzipped: boolean, signal: AbortSignal) {
  const seen = { bytes: 0, plainBytes: 0 };
  const hash = createHash('sha256');
  const facts = newPlainFacts();
  const reader = factsReader(facts);
  const stored = createReadStream(path, { highWaterMark: 1 << 20 });
  stored.on('data', (chunk) => {
    hash.update(chunk);
    seen.bytes += chunk.length;
  });
  let head = Buffer.alloc(0);
  for await (const chunk of plainOf(stored, isGzipped, path)) {
    signal.throwIfAborted();
    if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES)]);
    seen.plainBytes += chunk.length;
    if (!isArchive(head)) reader.take(chunk);
  }
  reader.end();
  return { ...seen, sha256: hash.digest('hex'), head, facts };
}

function factsReader(facts: PlainFacts) {
  return plainDumpReader((line, { isHead }) => {
    readLine(line, isHead, facts);
    return false;
  });
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path).catch((cause: unknown) => {
    throw new Failure('invalid-input', `${path} cannot be read.`, { cause, hint: 'Check its permissions.' });
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function isArchive(head: Buffer): boolean {
  return head.subarray(0, CUSTOM.length).equals(CUSTOM);
}

/** The dump without gzip. Errors when the file ends too early: gzip tells that by its checksum. */
export function openPlain({ path, isGzipped }: Pick<DumpFile, 'path' | 'isGzipped'>): Readable {
  return plainOf(createReadStream(path, { highWaterMark: 1 << 20 }), isGzipped, path);
}

function plainOf(stored: Readable, isGzipped: boolean, path: string): Readable {
  if (!isGzipped) return stored;
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  stored.once('error', (error) => gunzip.destroy(error));
  gunzip.once('close', () => stored.destroy());
  const explain = (cause: Error) =>
    new Failure('backup-invalid', `${path} is not whole: ${cause.message}.`, { cause, hint: HALF });
  const destroy = gunzip.destroy.bind(gunzip);
  gunzip.destroy = (error) => destroy(error && !(error instanceof Failure) ? explain(error) : error);
  return stored.pipe(gunzip);
}

const HALF =
  'The disk was full or the dump broke off when it was made: there is no whole backup in it. Adopt another one.';
const MADE_BY = 'Make one with `pg_dump -Fc` (or plain SQL, with gzip or without), one database in each file.';

function kindOf(head: Buffer, facts: PlainFacts, path: string): DumpFile['format'] {
  if (isArchive(head)) return 'pg_dump-custom';
  const refuse = (what: string) => new Failure('invalid-input', `${path} ${what}.`, { hint: MADE_BY });
  if (head.length === 0) throw refuse('is empty');
  if (head.subarray(TAR.at, TAR.at + TAR.magic.length).toString('latin1') === TAR.magic)
    throw refuse('is a tar archive, which is not taken');
  if (facts.isCluster) throw refuse('was made by pg_dumpall and holds a whole cluster');
  if (!facts.isDump) throw refuse('is no dump of PostgreSQL');
  return 'sql';
}

type Told = Pick<
  DumpFile,
  'server' | 'client' | 'createdAt' | 'database' | 'encoding' | 'locale' | 'roles' | 'objects'
>;

function tellPlain(facts: PlainFacts, path: string): Told {
  if (!facts.isComplete)
    throw new Failure('backup-invalid', `${path} is not whole: the line that pg_dump writes last is missing.`, {
      hint: HALF,
    });
  const { server, client, database, locale, objects } = facts;
  const named = { server, client, database, locale, objects, createdAt: undefined };
  return { ...named, encoding: facts.encoding ?? 'UTF8', roles: [...facts.roles] };
}

/** Its table of contents, and its definitions as SQL: pg_restore only writes both out here, and runs nothing. */
async function tellArchive(file: Pick<DumpFile, 'path' | 'isGzipped'>, context: Context): Promise<Told> {
  const list = await askRestore(['-l'], file, context);
  const field = (name: string) => new RegExp(`^; +${name}: (.*)$`, 'm').exec(list)?.[1]?.trim();
  const facts = newPlainFacts();
  const reader = factsReader(facts);
  reader.take(Buffer.from(await askRestore(['--create', '--schema-only', '-f', '-'], file, context)));
  reader.end();
  const created = /^; Archive created at (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/m.exec(list);
  return {
    server: field('Dumped from database version')?.split(' ')[0],
    client: field('Dumped by pg_dump version')?.split(' ')[0],
    createdAt: created === null ? undefined : new Date(`${created[1]}T${created[2]}Z`),
    database: field('dbname'),
    encoding: facts.encoding ?? 'UTF8',
    locale: facts.locale,
    roles: [...facts.roles],
    objects: facts.objects,
  };
}

async function askRestore(
  args: readonly string[],
  file: Pick<DumpFile, 'path' | 'isGzipped'>,
  { env, binDir, signal }: Context,
): Promise<string> {
  const [newest] = await findInstallations(env, binDir, 'pg_restore');
  if (newest === undefined)
    throw new Failure('tool-missing', 'There is no pg_restore on this machine.', {
      hint: "Install PostgreSQL's client programs (Debian: apt-get install postgresql-client), or name their folder with `bin-dir`.",
    });
  // The wall clock in the header bears no zone; pg_restore prints it in ours.
  const environment = { ...childEnvironment(env, { libpq: false }), LC_ALL: 'C', TZ: 'UTC' };
  const command = { program: `${newest.folder}/pg_restore`, args, env: environment };
  return readHead([command], openPlain(file), signal).catch((error: unknown) => {
    if (!(error instanceof Failure) || error.code !== 'tool-failed') throw error;
    throw new Failure('backup-invalid', `${file.path} cannot be read: ${error.message}`, {
      cause: error,
      hint: 'Either it is damaged, or a newer pg_dump made it: install the client programs of that version, or name their folder with `bin-dir`.',
    });
  });
}
