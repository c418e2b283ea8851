import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import { checkStoreUrl } from '../../src/stores/registry.ts';
import { parseStoreUrl } from '../../src/stores/store-url.ts';

describe('a store URL', () => {
  it.each([
    ['file:///srv/backups', '/srv/backups', 'file:///srv/backups'],
    ['file:///srv/backups/', '/srv/backups', 'file:///srv/backups'],
    ['file:///srv/my%20backups/%23one', '/srv/my backups/#one', 'file:///srv/my backups/#one'],
  ])('%s is a folder', (url, folder, location) => {
    expect(parseStoreUrl(url)).toEqual({ scheme: 'file', folder, location });
  });

  it.each([
    ['s3://acme-backups', 'acme-backups', '', 's3://acme-backups'],
    ['s3://acme-backups/', 'acme-backups', '', 's3://acme-backups'],
    ['s3://acme-backups/prod', 'acme-backups', 'prod/', 's3://acme-backups/prod'],
    ['s3://acme.backups/a/b/', 'acme.backups', 'a/b/', 's3://acme.backups/a/b'],
    ['s3://Acme_1/a%20b', 'Acme_1', 'a b/', 's3://Acme_1/a b'],
    ['s3://b3b/p?endpoint=http://127.0.0.1:9000/', 'b3b', 'p/', 's3://b3b/p?endpoint=http://127.0.0.1:9000'],
  ])('%s is a bucket and a prefix', (url, bucket, root, location) => {
    expect(parseStoreUrl(url)).toMatchObject({ scheme: 's3', bucket, root, location });
  });

  it('reads every parameter', () => {
    const query =
      'region=eu-central-1&endpoint=https://s3.example.com&path-style=true&storage-class=STANDARD_IA&sse=aws:kms' +
      '&sse-kms-key-id=arn:aws:kms:eu-central-1:1:key/1&object-lock=compliance:30d&max-parts=1000';
    expect(parseStoreUrl(`s3://bucket/prefix?${query}`)).toEqual({
      scheme: 's3',
      bucket: 'bucket',
      root: 'prefix/',
      location: 's3://bucket/prefix?endpoint=https://s3.example.com',
      region: 'eu-central-1',
      endpoint: 'https://s3.example.com',
      pathStyle: true,
      storageClass: 'STANDARD_IA',
      sse: 'aws:kms',
      sseKmsKeyId: 'arn:aws:kms:eu-central-1:1:key/1',
      objectLock: { mode: 'COMPLIANCE', forMs: 30 * 86_400_000 },
      maxParts: 1_000,
    });
  });

  it('has defaults for what it leaves out', () => {
    expect(parseStoreUrl('s3://bucket')).toMatchObject({ region: undefined, pathStyle: false, maxParts: 10_000 });
  });

  it.each([
    ['', 'is not a URL', 'file:///folder'],
    ['/srv/backups', 'is not a URL', 'file:///folder'],
    [' file:///srv', 'is not a URL', 'file:///folder'],
    ['ftp://host/x', 'unknown scheme `ftp:`', 's3://bucket'],
    ['file:backups', 'is not absolute', 'file:///folder'],
    ['file://srv/backups', 'names a host', 'three slashes: `file:///srv/backups`'],
    ['file:///srv/a, s3://bucket', 'holds several URLs', 'one URL a line, no commas'],
    ['file:///', 'is the root', 'folder of its own'],
    ['file:///a/../..', 'is the root', 'folder of its own'],
    ['file:///srv?mode=700', 'has query parameters', 'takes none'],
    ['file:///srv/a%2Fb', 'cannot be a path', 'encoded slash'],
    ['file:///srv/a%00b', 'cannot be a path', 'zero byte'],
    ['file:///srv/a#b', 'holds a `#`', '%23'],
    ['s3:bucket', 'names no bucket', 's3://bucket'],
    ['s3:///prefix', 'names no bucket', 's3://bucket'],
    ['s3://bucket:9000/prefix', 'has a port', 'endpoint='],
    ['s3://bucket//prefix', 'empty, `.` or `..`', 's3://bucket'],
    ['s3://bucket/a/../b', 'empty, `.` or `..`', 's3://bucket'],
    ['s3://bucket/a%', 'broken `%`', '%25'],
    ['s3://bucket?regoin=x', 'unknown query parameter `regoin`', '`region`'],
    ['s3://bucket?region=a&region=b', '`region` twice', 'once'],
    ['s3://bucket?region=', '`region=`', 'eu-central-1'],
    ['s3://bucket?endpoint=s3.example.com', '`endpoint=s3.example.com`', 'https://host'],
    ['s3://bucket?path-style=yes', '`path-style=yes`', '`true` or `false`'],
    ['s3://bucket?storage-class=DEEP_ARCHIVE', '`storage-class=DEEP_ARCHIVE`', 'GLACIER_IR'],
    ['s3://bucket?sse=kms', '`sse=kms`', '`AES256` or `aws:kms`'],
    ['s3://bucket?sse=AES256&sse-kms-key-id=1', 'without `sse=aws:kms`', 'both'],
    ['s3://bucket?object-lock=governance', '`object-lock=governance`', 'governance:30d'],
    ['s3://bucket?object-lock=governance:30', '`object-lock=governance:30`', 'governance:30d'],
    ['s3://bucket?object-lock=governance:0d', '`object-lock=governance:0d`', 'governance:30d'],
    ['s3://bucket?max-parts=1k', '`max-parts=1k`', '10000'],
    ['s3://bucket?max-parts=10001', '`max-parts=10001`', '10000'],
    ['s3://bucket?max-parts=1', '`max-parts=1`', '10000'],
  ])('%s is refused: it %s', (url, message, hint) => {
    expect(() => parseStoreUrl(url)).toThrow(
      expect.objectContaining({
        name: 'Failure',
        code: 'invalid-input',
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
      }),
    );
  });

  it.each([
    's3://AKIDEXAMPLE:SECRET@bucket/prefix',
    's3://AKIDEXAMPLE:SEC/RETSECRET@bucket/prefix',
    's3://bucket?secret-access-key=SECRET',
    's3://bucket?endpoint=https://me:SECRET@host',
    's3://bucket#SECRET',
    'file://me:SECRET@host/srv',
    'https://me:SECRET@host/srv?x=SECRET',
    'me:SECRET@host',
  ])('does not show the credentials in %s', (url) => {
    const failure = failureOf(() => parseStoreUrl(url));
    expect(`${failure.message} ${failure.hint}`).not.toMatch(/SECRET|AKID/);
  });

  it('is refused with a Failure, or taken, and nothing else', () => {
    const start = fc.constantFrom('', 's3://', 's3://bucket/', 's3://bucket?', 'file:///', 'file:', 's3://b@');
    fc.assert(
      fc.property(start, fc.string({ unit: 'grapheme' }), (scheme, rest) => {
        try {
          const place = parseStoreUrl(scheme + rest);
          if (place.scheme === 'file') expect(place.folder).toMatch(/^\/[^\0]/);
          else expect(place.root === '' || /[^/]\/$/.test(place.root)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ name: 'Failure', code: 'invalid-input' });
        }
      }),
    );
  });
});

describe('a folder that the next job empties', () => {
  let outer = '';
  beforeEach(() => {
    outer = mkdtempSync(join(tmpdir(), 'lifeboat-url-'));
    for (const name of ['workspace', 'temp', 'workspace-2']) mkdirSync(join(outer, name));
    symlinkSync(join(outer, 'workspace'), join(outer, 'link'));
  });
  afterEach(() => rmSync(outer, { recursive: true, force: true }));

  const check = (path: string) => checkStoreUrl(`file://${outer}/${path}`, ['', `${outer}/link`, `${outer}/temp/`]);

  it.each(['workspace', 'workspace/a/b', 'link/a', 'temp', 'temp/backups'])('is no place for a store: %s', (path) => {
    expect(failureOf(() => check(path))).toMatchObject({
      code: 'invalid-input',
      hint: expect.stringContaining('workspace and RUNNER_TEMP'),
    });
  });

  it.each(['workspace-2', 'backups', 'backups/workspace'])('is told from one beside it: %s', (path) => {
    expect(check(path)).toBe(`file://${outer}/${path}`);
  });
});

function failureOf(work: () => unknown): Failure {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}
