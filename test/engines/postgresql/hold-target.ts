import { existsSync, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { TargetRequest } from '../../../src/core/ports.ts';
import { postgresql } from '../../../src/engines/postgresql/engine.ts';
import { silent } from './backup-fixture.ts';

/**
 * A process of its own that restores until it is killed, or interrupted: what a runner may do to us. The request lies
 * in a file, artifacts beside it; `building` never gets the end of its data, `built` waits, `swapping` swaps.
 */
const [requestPath = '', folder = '', until = ''] = process.argv.slice(2);
const cancel = new AbortController();
process.once('SIGTERM', () => cancel.abort(new Error('cancelled')));
const request: TargetRequest = { ...JSON.parse(readFileSync(requestPath, 'utf8')), signal: cancel.signal };
const engine = postgresql({ env: process.env, log: silent, now: () => new Date() });
const say = (what: string) => process.stdout.write(`${what}\n`);

await engine
  .withTarget(request, async (target) => {
    await target.build('shop_restored_20260101t000000', async ({ key, role }) => {
      const path = `${folder}/${key}`;
      const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
      if (role !== 'dump' || until !== 'building') return Readable.from([bytes], { objectMode: false });
      return endless(bytes);
    });
    say('built');
    if (until === 'swapping') await target.swap('shop_restored_20260101t000000', 'shop_old');
    await new Promise((_, reject) => {
      cancel.signal.addEventListener('abort', () => reject(cancel.signal.reason));
      process.stdin.once('data', () => reject(new Error('told to end')));
    });
  })
  .catch((error: Error) => say(`ended: ${error.message}`));
process.exit(0);

/** All but the end; the one who reads a table of contents has enough before. */
function endless(bytes: Buffer): Readable {
  const stream = new Readable({ read: () => {} });
  stream.push(bytes.subarray(0, -1_000));
  setTimeout(() => say('halfway'), 1_000);
  return stream;
}
