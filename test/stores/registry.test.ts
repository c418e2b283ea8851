import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('loaded-modules.ts', import.meta.url));

async function loadedBy(url: string): Promise<{ outcome: string; packages: string[] }> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, url]);
  return JSON.parse(stdout);
}

it.each(['s3://bucket?regoin=x', 's3://bucket:9000', 'ftp://host', 'file:///srv/workspace/x', ''])(
  'loads no SDK to refuse %s',
  async (url) => {
    expect(await loadedBy(url)).toEqual({ outcome: 'invalid-input', packages: [] });
  },
);

it('loads no SDK for a folder', async () => {
  expect(await loadedBy('file:///srv/backups')).toEqual({ outcome: 'opened', packages: [] });
});

it('loads the SDK for a bucket', async () => {
  const { outcome, packages } = await loadedBy('s3://bucket?region=eu-central-1');
  expect(outcome).toBe('opened');
  expect(packages).toContain('@aws-sdk/client-s3');
});
