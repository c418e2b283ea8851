import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { root } from '../house/source-files.ts';
import type { TestPostgres } from '../servers/postgresql.ts';
import type { Rgw } from '../servers/rgw.ts';
import { readDocument, sectionOf } from './documents.ts';

const document = readDocument('docs/DISASTER.md');

/** What lifeboat.env of the document names, and what stands for it here. */
const ENV_FILE = /^<!-- file: lifeboat\.env -->\n```sh\n([\s\S]*?\n)```$/m.exec(document.text)?.[1] ?? '';
const FIRST_STORE = 's3://acme-backups/prod?region=eu-central-1';
const SECOND_STORE = 's3://acme-backups-far/prod?region=eu-west-1';

export interface Page {
  /** Every block of bash, in its order, as it is typed. */
  readonly blocks: readonly string[];
}

/** A page of the document, from its heading to the next one of any level. */
export function readPage(heading: string): Page {
  const section = sectionOf(document, heading);
  const [, body = ''] = /^#+ [^\n]*\n([\s\S]*?)(?=^#{2,3} |(?![\s\S]))/m.exec(section) ?? [];
  const found = [...body.matchAll(/^( *)```bash\n([\s\S]*?)^ *```$/gm)];
  return { blocks: found.map(([, indent = '', block = '']) => block.replaceAll(new RegExp(`^${indent}`, 'gm'), '')) };
}

/** The person that types: a home with the folder of the document, an application, its health. */
export interface Office {
  readonly home: string;
  readonly buckets: { readonly first: string; readonly second: string; readonly fresh: string };
  readonly stores: { readonly first: string; readonly second: string; readonly fresh: string };
  /** What systemctl was told so far. */
  systemctl(): string[];
  /** Types lines that are not of the document. */
  type(lines: string): Promise<Typed>;
  /**
   * Types the blocks of a page, one after the other in one shell that stops at the first line which fails.
   *
   * @param instead what the document leaves to be filled in, and what is filled in; each must be on the page
   */
  typePage(page: Page, instead?: Readonly<Record<string, string>>): Promise<Typed>;
  close(): Promise<void>;
}

export interface Typed {
  readonly code: number | null;
  /** Of each block. */
  readonly said: readonly string[];
  readonly all: string;
}

export interface OfficeNeeds {
  readonly pg: TestPostgres;
  readonly rgw: Rgw;
  /** The endpoint of the first store, where it is not the gateway itself. */
  readonly firstEndpoint?: string;
}

const PASSWORD = 'a long new one';

export async function openOffice({ pg, rgw, firstEndpoint = rgw.endpoint }: OfficeNeeds): Promise<Office> {
  const home = mkdtempSync(join(tmpdir(), 'lifeboat-office-'));
  const kit = join(home, 'lifeboat');
  mkdirSync(join(kit, 'bin'), { recursive: true });
  symlinkSync(join(root, 'bin/lifeboat'), join(kit, 'bin/lifeboat'));
  const health = await serveHealth(home);
  const buckets = await makeBuckets(rgw);
  const urlOf = (bucket: string, endpoint: string) =>
    `s3://${bucket}/prod?region=${rgw.region}&path-style=true&endpoint=${endpoint}`;
  const stores = {
    first: urlOf(buckets.first, firstEndpoint),
    second: urlOf(buckets.second, rgw.endpoint),
    fresh: urlOf(buckets.fresh, rgw.endpoint),
  };
  const identity = await generateX25519Identity();
  const filled = fill(ENV_FILE, {
    [FIRST_STORE]: stores.first,
    [SECOND_STORE]: stores.second,
    'PGHOST=db1.internal PGPORT=5432': `PGHOST=${pg.socketDir} PGPORT=${pg.port}`,
    [/age1\w+/.exec(ENV_FILE)?.[0] ?? 'age1']: await identityToRecipient(identity),
    'http://127.0.0.1:8080/health': health.url,
  });
  writeFileSync(join(kit, 'lifeboat.env'), filled);
  const secrets: Record<string, string> = {
    'target.url': 'postgresql:///orders\n',
    'age.key': `# created by a test\n${identity}\n`,
    'aws.credentials': `[default]\naws_access_key_id = ${rgw.accessKeyId}\naws_secret_access_key = ${rgw.secretAccessKey}\n`,
    pgpass: '*:*:*:*:none is asked for\n',
  };
  for (const [name, content] of Object.entries(secrets)) writeFileSync(join(kit, name), content, { mode: 0o600 });
  const path = [writeStub(home), pg.clientDir, dirname(process.execPath), '/usr/bin', '/bin', '/usr/sbin'].join(':');
  const type = (blocks: readonly string[]) => typeBlocks(blocks, { HOME: home, PATH: path, LANG: 'C.UTF-8' });
  return {
    ...{ home, buckets, stores },
    systemctl: () => linesOf(join(home, 'systemctl.log')),
    type: (lines) => type([`cd ~/lifeboat && . ./lifeboat.env\n${lines}\n`]),
    typePage: ({ blocks }, instead = {}) => {
      if (blocks.length === 0) throw new Error('The page has no commands.');
      for (const words of Object.keys(instead))
        if (!blocks.some((block) => block.includes(words))) throw new Error(`The page does not have: ${words}`);
      return type(blocks.map((block) => fillWhatIsThere(block, instead)));
    },
    close: async () => {
      health.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function fill(content: string, instead: Readonly<Record<string, string>>): string {
  const missing = Object.keys(instead).filter((words) => !content.includes(words));
  if (missing.length > 0) throw new Error(`lifeboat.env of the document does not have: ${missing.join(', ')}`);
  return fillWhatIsThere(content, instead);
}

function fillWhatIsThere(content: string, instead: Readonly<Record<string, string>>): string {
  return Object.entries(instead).reduce((filled, [words, real]) => filled.replaceAll(words, real), content);
}

async function typeBlocks(blocks: readonly string[], env: Readonly<Record<string, string>>): Promise<Typed> {
  const script = blocks.map((block, at) => `echo '@@ ${at}'; echo '@@ ${at}' >&2\n${block}`).join('');
  // No terminal of its own: what asks for a password then reads it from stdin.
  const child = spawn('bash', ['--norc', '-e', '-c', script], { env, detached: true, stdio: 'pipe' });
  child.stdin.on('error', () => {}); // nobody asked, and it has ended
  child.stdin.end(`${PASSWORD}\n${PASSWORD}\n`);
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  const said = stdout.split(/^@@ \d+\n/m).slice(1);
  return { code, said, all: `${stdout}\n--- stderr\n${stderr}` };
}

function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
}

/** In place of the real one: nothing of this machine is stopped. */
function writeStub(home: string): string {
  const folder = join(home, 'stubs');
  mkdirSync(folder);
  writeFileSync(join(folder, 'systemctl'), `#!/bin/sh\necho "$*" >> '${home}/systemctl.log'\n`);
  chmodSync(join(folder, 'systemctl'), 0o755);
  return folder;
}

/** An application that is well only when the last word it heard was to start. */
async function serveHealth(home: string): Promise<{ url: string; close(): void }> {
  const server = createServer((_, response) => {
    const isStarted = linesOf(join(home, 'systemctl.log')).at(-1)?.startsWith('start ') === true;
    response.writeHead(isStarted ? 200 : 503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/health`, close: () => void server.close() };
}

export function s3Of({ endpoint, region, accessKeyId, secretAccessKey }: Rgw): S3Client {
  return new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
}

async function makeBuckets(rgw: Rgw): Promise<Office['buckets']> {
  const client = s3Of(rgw);
  const run = process.hrtime.bigint().toString(36);
  const buckets = { first: `first-${run}`, second: `second-${run}`, fresh: `fresh-${run}` };
  for (const Bucket of Object.values(buckets)) {
    await client.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  }
  client.destroy();
  return buckets;
}
