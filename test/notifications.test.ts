import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Change } from '../src/core/change.ts';
import { Notification } from '../src/core/notification.ts';
import { parseNotify } from '../src/core/notify-target.ts';
import type { Report } from '../src/core/report.ts';
import { type Tell, tellPeople } from '../src/notifications.ts';
import { type Receiver, startReceiver } from './notify/receiver.ts';
import { fresh, stale } from './notify/samples.ts';

const { signal } = new AbortController();

function ground(notify: string, changes: { readonly source?: string } = {}) {
  const base = mkdtempSync('/var/tmp/lifeboat-notifications-');
  onTestFinished(() => rmSync(base, { recursive: true }));
  const failed: string[] = [];
  const tell: Tell = async (what, use) => use(signal).catch(() => void failed.push(what));
  const run = (report: Report, seen?: Change, source = changes.source ?? 'orders') => {
    const given = { notify: parseNotify(notify), 'notify-on': 'change' as const };
    const subject = { source, store: 'file:///a\nfile:///b' };
    const telling = { action: 'backup', given, run: {}, env: {}, now: () => new Date(), subject };
    return tellPeople(report, seen, telling, tell, base);
  };
  return { base, failed, run };
}

const changesAt = ({ received }: Receiver) => received.map(({ body }) => Notification.parse(JSON.parse(body)).change);

it('believes issues more than its own memory', async () => {
  const receiver = await startReceiver();
  const { run } = ground(`webhook+http://${receiver.host}/hook`);
  await run(stale, 'still-broken');
  await run(fresh, 'still-well');
  expect(changesAt(receiver)).toEqual([]);
  await run(stale, 'broke');
  await run(fresh, 'recovered');
  expect(changesAt(receiver)).toEqual(['broke', 'recovered']);
});

it('remembers each source for itself, in whatever order the lines stand', async () => {
  const receiver = await startReceiver();
  const { run } = ground(`webhook+http://${receiver.host}/hook`);
  await run(stale, undefined, 'orders\nbilling');
  await run(stale, undefined, 'orders');
  await run(stale, undefined, ' billing\norders\n');
  expect(changesAt(receiver)).toEqual(['broke', 'broke']);
});

it('says when it cannot remember, and counts each failure as new until it can', async () => {
  const receiver = await startReceiver();
  const { base, failed, run } = ground(`webhook+http://${receiver.host}/hook`);
  writeFileSync(join(base, 'verdicts'), 'in the way');
  await run(stale);
  await run(stale);
  expect(failed).toEqual(['memory of the verdict', 'memory of the verdict']);
  expect(changesAt(receiver)).toEqual(['broke', 'broke']);
});

it('keeps no memory for pings, and none where nobody is told', async () => {
  const receiver = await startReceiver();
  for (const notify of [`ping+http://${receiver.host}/check`, '']) {
    const { base, failed, run } = ground(notify);
    await run(stale);
    expect(failed).toEqual([]);
    expect(existsSync(join(base, 'verdicts'))).toBe(false);
  }
  expect(receiver.received.map(({ url }) => url)).toEqual(['/check/fail']);
});
