import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingPrograms, RGW_PACKAGES, type Rgw, startRgw, stopRgw } from './rgw.ts';

/** Why no gateway can be started here, or undefined. With LIFEBOAT_TEST_REQUIRE_ALL=1 that is an error. */
export function whyNoRgw(): string | undefined {
  const missing = missingPrograms();
  if (missing.length === 0) return undefined;
  const why = `${missing.join(', ')} not found: apt-get install --no-install-recommends ${RGW_PACKAGES.join(' ')}`;
  if (process.env.LIFEBOAT_TEST_REQUIRE_ALL === '1') throw new Error(why);
  console.warn(`Skipped, needs a Ceph gateway: ${why}`);
  return why;
}

/** The gateway in the folder that LIFEBOAT_TEST_RGW names, or one of our own; `stop` ends only the latter. */
export async function rgwForTests(): Promise<{ rgw: Rgw; stop: () => Promise<void> }> {
  const running = process.env.LIFEBOAT_TEST_RGW;
  if (running !== undefined && running !== '') {
    const rgw = JSON.parse(readFileSync(join(running, 'rgw.json'), 'utf8')) as Rgw;
    return { rgw, stop: async () => {} };
  }
  const rgw = await startRgw(mkdtempSync(join(tmpdir(), 'lifeboat-rgw-')));
  return { rgw, stop: () => stopRgw(rgw.dir) };
}
