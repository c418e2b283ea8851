import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../src/stores/registry.ts';
import { type Answer, type Asked, fakeS3, s3Error, xml } from '../servers/fake-s3.ts';

const MIB = 1024 * 1024;
const servers: Awaited<ReturnType<typeof fakeS3>>[] = [];
const given = { ...process.env };

beforeEach(() => {
  process.env.AWS_ACCESS_KEY_ID = 'AKIDEXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'not-so-secret';
});

afterEach(async () => {
  process.env = { ...given };
  for (const server of servers.splice(0)) await server.close();
});

async function openFake(answer: (asked: Asked) => Answer, { stallMs = 60_000, query = '' } = {}) {
  const server = await fakeS3(answer);
  servers.push(server);
  const url = `s3://bucket/root?endpoint=${server.endpoint}&path-style=true${query}`;
  const context = { env: process.env, forbidden: [], stallMs, now: () => new Date() };
  return { store: await openStore(url, context), asked: server.asked };
}

describe('what S3 refuses becomes a failure that says what to do', () => {
  it.each([
    { status: 404, code: 'NoSuchBucket', failure: 'store-missing', hint: 'Create the bucket' },
    { status: 403, code: 'AccessDenied', failure: 'store-denied', hint: 's3:ListBucket' },
    { status: 403, code: 'InvalidAccessKeyId', failure: 'store-denied', hint: 'AWS_ACCESS_KEY_ID' },
    { status: 403, code: 'SignatureDoesNotMatch', failure: 'store-denied', hint: 'AWS_SECRET_ACCESS_KEY' },
    { status: 400, code: 'ExpiredToken', failure: 'store-denied', hint: 'role-duration-seconds' },
    { status: 400, code: 'InvalidToken', failure: 'store-denied', hint: 'role-duration-seconds' },
    { status: 403, code: 'RequestTimeTooSkewed', failure: 'store-denied', hint: 'clock' },
    { status: 301, code: 'PermanentRedirect', failure: 'store-unavailable', hint: '?region=' },
    { status: 400, code: 'AuthorizationHeaderMalformed', failure: 'store-unavailable', hint: '?region=' },
    { status: 400, code: 'KMS.DisabledException', failure: 'store-denied', hint: 'KMS key' },
    { status: 403, code: 'QuotaExceeded', failure: 'store-full', hint: 'quota' },
    { status: 507, code: 'Whatever', failure: 'store-full', hint: 'quota' },
    { status: 503, code: 'SlowDown', failure: 'store-unavailable', hint: 'try again later' },
    { status: 418, code: 'Teapot', failure: 'store-unavailable', hint: 'problem of its own' },
  ])('$status $code is $failure', async ({ status, code, failure, hint }) => {
    const { store } = await openFake(() => s3Error(status, code));
    await expect(Array.fromAsync(store.list(''))).rejects.toMatchObject({
      name: 'Failure',
      code: failure,
      message: expect.stringMatching(new RegExp(`^s3:ListBucket failed on s3://bucket/root\\?endpoint=.*: ${code}`)),
      hint: expect.stringContaining(hint),
    });
  });

  it('names both permissions when looking for a key is denied', async () => {
    const { store } = await openFake(() => ({ status: 403 }));
    await expect(store.head('db/one')).rejects.toMatchObject({
      code: 'store-denied',
      message: expect.stringContaining('s3:GetObject of db/one failed'),
      hint: expect.stringMatching(/`s3:GetObject` and `s3:ListBucket`/),
    });
  });

  it('asks again where the answer to a look has no body to say why', async () => {
    const { store } = await openFake(({ method }) =>
      method === 'HEAD' ? { status: 400 } : s3Error(400, 'ExpiredToken'),
    );
    await expect(store.head('db/one')).rejects.toMatchObject({
      code: 'store-denied',
      message: expect.stringContaining('ExpiredToken'),
      hint: expect.stringContaining('role-duration-seconds'),
    });
  });

  it('names the permission that writing needs', async () => {
    const { store } = await openFake(({ method }) =>
      method === 'HEAD' ? { status: 404 } : s3Error(403, 'AccessDenied'),
    );
    for (const size of [1, 20 * MIB]) {
      await expect(store.put('db/one', Readable.from([randomBytes(size)]))).rejects.toMatchObject({
        code: 'store-denied',
        hint: expect.stringContaining('`s3:PutObject`'),
      });
    }
  });

  it('asks for credentials where there are none', async () => {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    Object.assign(process.env, { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' });
    const { store } = await openFake(() => ({}));
    await expect(store.listFolders()).rejects.toMatchObject({
      code: 'store-denied',
      hint: expect.stringContaining('aws-actions/configure-aws-credentials'),
    });
  });

  it('asks for the region where none is known', async () => {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) delete process.env[name];
    process.env.HOME = '/nonexistent';
    const context = { env: process.env, forbidden: [], stallMs: 60_000, now: () => new Date() };
    const store = await openStore('s3://bucket', context);
    await expect(store.listFolders()).rejects.toMatchObject({ hint: expect.stringContaining('?region=') });
  });
});

it('shows signs of life while a part is on its way, since one may take longer than a store may be silent', async () => {
  const { store } = await openFake(({ method }) => (method === 'PUT' ? { hang: true } : { status: 404 }));
  const abort = new AbortController();
  let signs = 0;
  const onBytes = () => {
    signs += 1;
  };
  const putting = store.put('db/one', Readable.from([randomBytes(7 * MIB)]), { onBytes, signal: abort.signal });
  putting.catch(() => {});
  await vi.waitFor(() => expect(signs).toBeGreaterThan(7), 20_000);
  abort.abort();
  await expect(putting).rejects.toMatchObject({ code: 'cancelled' });
});

it('sends every part as it was read, though buffers are filled again and again', async () => {
  const sent = randomBytes(48 * MIB);
  const parts = new Map<number, Buffer>();
  const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest();
  const { store } = await openFake(({ method, query, body }) => {
    if (method === 'HEAD') return { status: 404 };
    const number = Number(query.get('partNumber'));
    if (number > 0) {
      parts.set(number, body);
      return { headers: { etag: `"${md5(body).toString('hex')}"` } };
    }
    if (query.has('uploads')) return xml('InitiateMultipartUploadResult', '<UploadId>one</UploadId>');
    const all = Buffer.concat(inOrder().map(md5));
    return xml('CompleteMultipartUploadResult', `<ETag>"${md5(all).toString('hex')}-${parts.size}"</ETag>`);
  });
  const inOrder = () => [...parts].toSorted(([one], [other]) => one - other).map(([, body]) => body);
  const copy = await store.put('db/one', Readable.from([sent]), { expectedBytes: sent.length });
  expect(copy.sha256).toBe(createHash('sha256').update(sent).digest('hex'));
  expect(parts.size).toBe(6);
  expect(Buffer.concat(inOrder()).equals(sent)).toBe(true);
});

describe('a network that fails', () => {
  it('is told from a store that refuses', async () => {
    const { store } = await openFake(() => ({}));
    await servers.pop()?.close();
    await expect(store.listFolders()).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
      hint: expect.stringContaining('https_proxy'),
    });
  });

  it('does not hang on a store that never answers', async () => {
    const { store, asked } = await openFake(() => ({ hang: true }), { stallMs: 4_000 });
    await expect(store.listFolders()).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('TimeoutError'),
    });
    expect(asked).toHaveLength(4);
  });

  it('is overcome by trying again', async () => {
    let calls = 0;
    const { store } = await openFake(() => {
      calls += 1;
      return calls < 3 ? s3Error(503, 'SlowDown') : xml('ListBucketResult', '<IsTruncated>false</IsTruncated>');
    });
    expect(await store.listFolders()).toEqual([]);
    expect(store.retries()).toBe(2);
  });

  it('counts what it tried again also when nothing helped', async () => {
    const { store } = await openFake(() => s3Error(503, 'SlowDown'));
    await expect(store.listFolders()).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(store.retries()).toBe(3);
  });

  it('goes through the proxy that the environment names', async () => {
    const proxy = await fakeS3(() => xml('ListBucketResult', '<IsTruncated>false</IsTruncated>'));
    servers.push(proxy);
    const env = { ...process.env, http_proxy: proxy.endpoint, no_proxy: '' };
    const context = { env, forbidden: [], stallMs: 60_000, now: () => new Date() };
    const store = await openStore('s3://bucket?endpoint=http://s3.invalid&path-style=true', context);
    expect(await store.listFolders()).toEqual([]);
    expect(proxy.asked[0]?.headers.host).toBe('s3.invalid');
  });
});

describe('reading in ranges', () => {
  const bytes = randomBytes(20 * MIB);

  function serve(asked: Asked, spoil: (start: number, end: number) => Answer | undefined): Answer {
    const headers = { etag: '"abc"', 'content-length': String(bytes.length) };
    if (asked.method === 'HEAD') return { headers };
    const [start = 0, last = 0] = (/bytes=(\d+)-(\d+)/.exec(asked.headers.range ?? '') ?? []).slice(1).map(Number);
    const part = bytes.subarray(start, last + 1);
    const whole = { status: 206, headers: { ...headers, 'content-length': String(part.length) }, body: part };
    return spoil(start, last + 1) ?? whole;
  }

  it('reads a range again that broke off', async () => {
    let broken = 0;
    const { store } = await openFake((asked) =>
      serve(asked, (start, end) => {
        if (start !== 8 * MIB || broken === 2) return undefined;
        broken += 1;
        const headers = { 'content-length': String(end - start) };
        return { status: 206, headers, body: bytes.subarray(start, start + 1000), cut: true };
      }),
    );
    expect((await buffer(await store.get('db/one'))).equals(bytes)).toBe(true);
    expect(broken).toBe(2);
    expect(store.retries()).toBe(2);
  });

  it.each([
    ['short', -1],
    ['long', 1],
  ])('takes no body that is too %s', async (_, difference) => {
    const { store } = await openFake((asked) =>
      serve(asked, (start, end) => {
        const body = Buffer.alloc(end - start + difference);
        return start === 0 ? undefined : { status: 206, headers: { 'content-length': String(body.length) }, body };
      }),
    );
    const reading = buffer(await store.get('db/one')).then(({ length }) => length);
    await expect(reading).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringMatching(/(only 4194303|more) bytes came for a range of 4194304 from 4194304/),
    });
  });

  it('asks for the bytes of one version only, and says when they were replaced', async () => {
    const { store, asked } = await openFake((one) =>
      serve(one, (start) => (start === 0 ? undefined : s3Error(412, 'PreconditionFailed'))),
    );
    await expect(buffer(await store.get('db/one'))).rejects.toMatchObject({
      code: 'artifact-corrupt',
      hint: expect.stringContaining('was replaced'),
    });
    for (const { headers } of asked.filter(({ method }) => method === 'GET')) expect(headers['if-match']).toBe('"abc"');
  });

  it('keeps no more than a window of ranges under way', async () => {
    const headers = { etag: '"abc"', 'content-length': String(100 * MIB) };
    const { store, asked } = await openFake(({ method }) => (method === 'HEAD' ? { headers } : { hang: true }));
    const stream = await store.get('db/one');
    stream.on('error', () => {}).resume();
    const ranges = () => asked.filter(({ method }) => method === 'GET').length;
    await expect.poll(ranges).toBe(4);
    await store.head('db/one');
    expect(ranges()).toBe(4);
    stream.destroy();
  });
});

describe('a store that keeps other bytes than it was sent', () => {
  it('is caught by reading back, and the object is removed', async () => {
    const sent = randomBytes(1000);
    const kept = Buffer.concat([Buffer.from('1000;chunk-signature='), sent]).subarray(0, 1000);
    const { store, asked } = await openFake(hoarder(kept));
    await expect(store.put('db/one', Readable.from([sent]))).rejects.toMatchObject({
      code: 'artifact-corrupt',
      message: expect.stringContaining('kept other bytes under db/one'),
    });
    expect(asked.some(({ method, query }) => method === 'POST' && query.has('delete'))).toBe(true);
  });

  it('is caught by its size', async () => {
    const { store } = await openFake(hoarder(Buffer.alloc(7)));
    await expect(store.put('db/one', Readable.from([randomBytes(9)]))).rejects.toMatchObject({
      code: 'artifact-corrupt',
      message: expect.stringContaining('has 7 bytes under db/one after 9 bytes were sent'),
    });
  });

  it('is not suspected when its ETag is no MD5 but the bytes are right', async () => {
    const sent = randomBytes(1000);
    const { store, asked } = await openFake(hoarder(sent));
    const copy = await store.put('db/one', Readable.from([sent]));
    expect(copy).toEqual({ bytes: 1000, sha256: createHash('sha256').update(sent).digest('hex'), tag: 'own' });
    expect(asked.some(({ method, headers }) => method === 'GET' && headers.range === 'bytes=0-999')).toBe(true);
  });

  it('is not suspected when reading back breaks off once', async () => {
    const sent = randomBytes(1000);
    const keeping = hoarder(sent);
    let reads = 0;
    const { store } = await openFake((asked) => {
      const answer = keeping(asked);
      if (asked.method !== 'GET' || asked.query.has('versioning')) return answer;
      reads += 1;
      return reads === 1 ? { ...answer, body: sent.subarray(0, 500), cut: true } : answer;
    });
    expect(await store.put('db/one', Readable.from([sent]))).toMatchObject({ bytes: 1000 });
    expect(reads).toBe(2);
    expect(store.retries()).toBe(1);
  });

  it('has nothing left of what could not be read back', async () => {
    const keeping = hoarder(randomBytes(1000));
    const { store, asked } = await openFake((one) => {
      const isRead = one.method === 'GET' && !one.query.has('versioning');
      return isRead ? { ...keeping(one), body: 'short', cut: true } : keeping(one);
    });
    const put = store.put('db/one', Readable.from([randomBytes(1000)]));
    await expect(put).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(asked.some(({ method, query }) => method === 'POST' && query.has('delete'))).toBe(true);
  });

  /** Forgets what it is sent and shows `kept`, under an ETag of its own making. */
  function hoarder(kept: Buffer): (asked: Asked) => Answer {
    let isThere = false;
    return ({ method, query }) => {
      const headers = { etag: '"own"', 'content-length': String(kept.length) };
      if (method === 'PUT') isThere = true;
      if (method === 'PUT') return { headers: { etag: '"own"' } };
      if (method === 'HEAD') return isThere ? { headers } : { status: 404 };
      if (query.has('versioning')) return xml('VersioningConfiguration', '');
      if (method === 'POST') return xml('DeleteResult', '');
      return { status: 206, headers, body: kept };
    };
  }
});

describe('an answer that was lost', () => {
  it('is made up for by looking', async () => {
    const sent = randomBytes(1000);
    const etag = createHash('md5').update(sent).digest('hex');
    let isThere = false;
    const { store } = await openFake(({ method }) => {
      if (method === 'PUT') isThere = true;
      if (method === 'PUT') return { cut: true };
      return isThere ? { headers: { etag: `"${etag}"`, 'content-length': '1000' } } : { status: 404 };
    });
    expect(await store.put('db/one', Readable.from([sent]))).toMatchObject({ bytes: 1000, tag: etag });
  });
});

describe('listing page by page', () => {
  const upload = (name: string) => `<Upload><Key>root/${name}</Key><UploadId>id of ${name}</UploadId></Upload>`;

  it('goes on with the unfinished uploads where the page before ended', async () => {
    const { store } = await openFake(({ query }) => {
      if (query.has('uploadId')) return xml('ListPartsResult', '');
      if (!query.has('key-marker')) {
        const markers = '<NextKeyMarker>root/db/a +%20ü</NextKeyMarker><NextUploadIdMarker>7</NextUploadIdMarker>';
        return xml('ListMultipartUploadsResult', `<IsTruncated>true</IsTruncated>${markers}${upload('db/a +%20ü')}`);
      }
      const isRight = query.get('key-marker') === 'root/db/a +%20ü' && query.get('upload-id-marker') === '7';
      return xml('ListMultipartUploadsResult', isRight ? upload('db/b') : upload('wrong'));
    });
    const uploads = await Array.fromAsync(store.openUploads('db/'));
    expect(uploads.map(({ key }) => key)).toEqual(['db/a +%20ü', 'db/b']);
  });

  it.each([
    ['as S3 writes it', 'root%2Fdb%2Fa+%2B%25'],
    ['as Ceph 16 writes it', 'root/db/a +%'],
  ])('understands where the next page of versions begins, %s', async (_, marker) => {
    const version = (name: string) =>
      `<Version><Key>${name}</Key><VersionId>${name}</VersionId><IsLatest>false</IsLatest></Version>`;
    const encoded = '<EncodingType>url</EncodingType>';
    const { store, asked } = await openFake(({ query, method }) => {
      if (query.has('versioning')) return xml('VersioningConfiguration', '<Status>Enabled</Status>');
      if (method === 'POST') return xml('DeleteResult', '');
      if (query.get('key-marker') === 'root/db/a +%')
        return xml('ListVersionsResult', encoded + version('root%2Fdb%2Fb'));
      const next = `<IsTruncated>true</IsTruncated><NextKeyMarker>${marker}</NextKeyMarker>`;
      return xml('ListVersionsResult', encoded + next + version('root%2Fdb%2Fa+%2B%25'));
    });
    expect(await store.remove(['db/a +%', 'db/b'])).toEqual([]);
    const removed = asked.find(({ method }) => method === 'POST')?.body.toString() ?? '';
    expect([...removed.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key)).toEqual(['root/db/a +%', 'root/db/b']);
    expect(asked.every(({ query }) => query.get('version-id-marker') !== '')).toBe(true);
  });
});

describe('removing', () => {
  it('removes one by one where the store knows no batches', async () => {
    const { store, asked } = await openFake(({ method, query, path }) => {
      if (query.has('versioning')) return xml('VersioningConfiguration', '');
      if (method === 'POST') return s3Error(501, 'NotImplemented');
      return path.endsWith('/locked') ? s3Error(403, 'AccessDenied') : { status: 204 };
    });
    const left = await store.remove(['db/1', 'db/locked', 'db/2']);
    expect(left).toEqual([{ key: 'db/locked', reason: expect.stringContaining('AccessDenied') }]);
    await store.remove(['db/3']);
    const calls = asked.filter(({ query }) => !query.has('versioning')).map(({ method, path }) => `${method} ${path}`);
    expect(calls.filter((call) => call.startsWith('POST'))).toHaveLength(1);
    expect(calls.filter((call) => call.startsWith('DELETE')).sort()).toEqual(
      ['1', '2', '3', 'locked'].map((name) => `DELETE /bucket/root/db/${name}`),
    );
  });

  it('honours the errors inside a batch that was answered with 200', async () => {
    const refused = '<Error><Key>root/db/2</Key><Code>InternalError</Code><Message>Try again</Message></Error>';
    const { store } = await openFake(({ query }) =>
      query.has('versioning') ? xml('VersioningConfiguration', '') : xml('DeleteResult', refused),
    );
    expect(await store.remove(['db/1', 'db/2'])).toEqual([{ key: 'db/2', reason: 'InternalError: Try again' }]);
  });

  it('sends batches of a thousand', async () => {
    const { store, asked } = await openFake(({ query }) =>
      query.has('versioning') ? xml('VersioningConfiguration', '') : xml('DeleteResult', ''),
    );
    await store.remove(Array.from({ length: 2_001 }, (_, index) => `db/${index}`));
    const batches = asked.filter(({ method }) => method === 'POST');
    expect(batches.map(({ body }) => body.toString().split('<Key>').length - 1)).toEqual([1_000, 1_000, 1]);
  });

  it('removes nothing while it cannot tell whether the bucket keeps versions', async () => {
    const { store, asked } = await openFake(() => s3Error(403, 'AccessDenied'));
    await expect(store.remove(['db/1'])).rejects.toMatchObject({
      code: 'store-denied',
      hint: expect.stringContaining('s3:GetBucketVersioning'),
    });
    expect(asked.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('takes a store that knows no versions and no locks for one without', async () => {
    const { store } = await openFake(({ method }) =>
      method === 'POST' ? xml('DeleteResult', '') : s3Error(501, 'NotImplemented'),
    );
    expect(await store.locks('db/')).toEqual([]);
    expect(await Array.fromAsync(store.hidden('db/'))).toEqual([]);
    expect(await store.remove(['db/1'])).toEqual([]);
  });
});

describe('an upload', () => {
  it('is refused and removed where the lock that was asked for cannot be had', async () => {
    const { store, asked } = await openFake(
      ({ method, body, query }) => {
        if (query.has('versioning')) return xml('VersioningConfiguration', '');
        if (query.has('retention')) return method === 'GET' ? s3Error(404, 'NoSuchObjectLockConfiguration') : {};
        if (method === 'POST') return xml('DeleteResult', '');
        const etag = createHash('md5').update(body).digest('hex');
        return method === 'HEAD' ? { status: 404 } : { headers: { etag: `"${etag}"` } };
      },
      { query: '&object-lock=compliance:30d' },
    );
    await expect(store.put('db/one', Readable.from(['{}']))).rejects.toMatchObject({
      code: 'store-denied',
      message: expect.stringContaining('did not lock it'),
    });
    expect(asked.some(({ method, query }) => method === 'POST' && query.has('delete'))).toBe(true);
  });

  it('sends what the URL asks for', async () => {
    const { store, asked } = await openFake(
      ({ method, body, query }) => {
        const retention = `<RetainUntilDate>${new Date(Date.now() + 30 * 86_400_000).toISOString()}</RetainUntilDate>`;
        if (query.has('retention')) return xml('Retention', retention);
        const etag = createHash('md5').update(body).digest('hex');
        return method === 'HEAD' ? { status: 404 } : { headers: { etag: `"${etag}"` } };
      },
      { query: '&storage-class=STANDARD_IA&sse=aws:kms&sse-kms-key-id=key-1&object-lock=governance:30d' },
    );
    await store.put('db/id/manifest.json', Readable.from(['{}']));
    await store.put('db/id/in-progress.json', Readable.from(['{}']));
    const [manifest, note] = asked.filter(({ method }) => method === 'PUT');
    expect(manifest?.headers).toMatchObject({
      'content-md5': createHash('md5').update('{}').digest('base64'),
      'x-amz-storage-class': 'STANDARD_IA',
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
      'x-amz-object-lock-mode': 'GOVERNANCE',
    });
    const until = Date.parse(String(manifest?.headers['x-amz-object-lock-retain-until-date']));
    expect(Math.round((until - Date.now()) / 86_400_000)).toBe(30);
    // The note is removed when the backup is done, so it must not be locked.
    expect(note?.headers['x-amz-object-lock-mode']).toBeUndefined();
    // Nothing that stores other than AWS choke on.
    for (const header of ['x-amz-checksum-crc32', 'x-amz-trailer', 'content-encoding']) {
      expect(manifest?.headers[header]).toBeUndefined();
    }
  });
});
