import { expect, it } from 'vitest';
import { changeSentence, headOf, moreSentence, Notification, placeOf } from '../../src/core/notification.ts';
import { fresh, hostile, hostileText, huge, notified, stale } from '../notify/samples.ts';

it('holds what is not well, the worst first, and where it ran', () => {
  const notification = notified(stale);
  expect(z(notification)).toEqual(notification);
  expect(notification.findings.map(({ rule }) => rule)).toEqual(['backup-age', 'drill-missing']);
  expect(notification).toMatchObject({ verdict: 'fail', sources: ['orders'], findingsLeftOut: 0 });
});

it('keeps foreign text as it is: each medium has its own way to escape it', () => {
  expect(notified(hostile).findings[0]?.message).toBe(hostileText);
});

it('fits into 256 KiB, and counts what it leaves out', () => {
  const notification = notified(huge);
  expect(Buffer.byteLength(JSON.stringify(notification))).toBeLessThanOrEqual(262_144);
  expect(notification.findings.length).toBeGreaterThan(5);
  expect(notification.findings.length + notification.findingsLeftOut).toBe(500);
  expect(z(notification)).toEqual(notification);
});

it.each([
  ['broke', 'fail: Freshness of orders', 'This is new: the run before was well, or there was none.'],
  ['still-broken', 'fail: Freshness of orders', 'Failing since 2026-11-21 03:15 UTC.'],
] as const)('says what changed: %s', (change, head, sentence) => {
  const notification = notified(stale, { change });
  expect(headOf(notification)).toBe(head);
  expect(changeSentence(notification)).toBe(sentence);
});

it('says since when it had been failing, as far as that is known', () => {
  const recovered = notified(fresh, { change: 'recovered' });
  expect(headOf(recovered)).toBe('recovered: Freshness of orders');
  expect(changeSentence(recovered)).toBe('It is well again; it had been failing since 2026-11-21 03:15 UTC.');
  const unknown = { failingSince: undefined };
  expect(changeSentence(notified(fresh, { change: 'recovered', ...unknown }))).toBe('It is well again.');
  expect(changeSentence(notified(stale, { change: 'still-broken', ...unknown }))).toBe('It failed before, too.');
  expect(changeSentence(notified(fresh, { change: 'still-well', ...unknown }))).toBe('');
});

it('says how many findings are not shown, and where it ran', () => {
  const notification = { ...notified(stale), findingsLeftOut: 3 };
  expect(moreSentence(notification, 1)).toBe('… and 4 more findings, all in the report.');
  expect(moreSentence(notified(stale), 1)).toBe('… and 1 more finding, all in the report.');
  expect(moreSentence(notified(stale), 2)).toBe('');
  expect(placeOf(notification)).toBe('verify-freshness in acme/operations');
  expect(placeOf(notified(stale, { run: {} }))).toBe('verify-freshness');
});

function z(notification: Notification): Notification {
  return Notification.parse(JSON.parse(JSON.stringify(notification)));
}
