import { type Notification, notificationOf, type Occasion } from '../../src/core/notification.ts';
import { finding, type Report, report } from '../../src/core/report.ts';
import type { Sending } from '../../src/notify/http.ts';
import type { Message } from '../../src/notify/message.ts';

export const RUN_URL = 'https://github.example/acme/operations/actions/runs/4711/attempts/1';

export const occasion: Occasion = {
  id: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
  action: 'verify-freshness',
  change: 'broke',
  failingSince: '2026-11-21T03:15:00.000Z',
  run: { url: RUN_URL, repository: 'acme/operations' },
  now: new Date('2026-11-21T03:15:00Z'),
};

export const stale: Report = report(
  'Freshness of orders',
  [
    finding('backup-age', 'fail', 'The newest backup is 2d 3h old; the limit is 1d 2h.', {
      subject: 'file:///srv/backups',
      hint: 'Look why `backup` did not run.',
    }),
    finding('drill-missing', 'warn', 'No drill was recorded for orders.'),
    finding('free-space', 'pass', 'Half of the store is free.'),
  ],
  { headline: [{ name: 'Newest backup', value: '20261119T001500Z-3f9a1c' }], sources: ['orders'] },
);

export const fresh: Report = report('Freshness of orders', [finding('backup-age', 'pass', 'Fresh.')], {
  sources: ['orders'],
});

/** What a database or a store could put into a report. */
export const hostileText =
  'a|b `x` </b><img src=x onerror=1> &amp; <!channel> <@U1> @here @channel #general [click](http://evil.example) ![i](https://evil.example/p.png) www.evil.example *b* _i_ ~s~\r\nBcc: x@evil.example\n## no\u001b[31m\u202e "q" \'q\' {{t}}';

export const hostile: Report = report(
  hostileText,
  [finding('facts-tables', 'fail', hostileText, { subject: hostileText, hint: hostileText })],
  { headline: [{ name: hostileText, value: hostileText }], sources: [hostileText] },
);

/** Larger than any medium takes. */
export const huge: Report = report(
  `Freshness of ${'<&>'.repeat(500)}`,
  Array.from({ length: 500 }, (_, at) => {
    const text = `${at} ${'`<&>` 💾 @x '.repeat(1_000)}`;
    return finding('facts-tables', 'fail', text, { subject: text, hint: text });
  }),
  {
    headline: Array.from({ length: 60 }, () => ({ name: '<'.repeat(3_000), value: '💾'.repeat(3_000) })),
    sources: Array.from({ length: 300 }, (_, at) => `source-${at}-${'x'.repeat(50)}`),
  },
);

export function messageOf(given: Report, changes: Partial<Occasion> = {}): Message {
  return { notification: notified(given, changes), report: given, thread: '0123456789abcdef0123456789abcdef' };
}

export function notified(given: Report, changes: Partial<Occasion> = {}): Notification {
  return notificationOf(given, { ...occasion, ...changes });
}

export function sending(changes: Partial<Sending> = {}): Sending {
  return { env: {}, signal: new AbortController().signal, now: () => new Date(), ...changes };
}
