import { expect, it } from 'vitest';
import { finding, type Report, report } from '../../src/core/report.ts';
import { renderSummary } from '../../src/github/summary.ts';

const hostile =
  'a|b `x` <img src=x onerror=1> @admin see #12 and GH-3 [click](http://evil.example) www.evil.example\n## no\r\n\u001b[31m*b* _i_ ~s~ $x$ \\ \u202e';

const fresh = report(
  'Freshness of orders',
  [
    finding('backup-age', 'pass', 'The newest backup is 3h old; the limit is 1d 2h.', {
      subject: 'file:///srv/backups',
    }),
    finding('drill-missing', 'warn', 'No drill was recorded for orders.', {
      hint: 'Run `restore-drill` on a schedule.',
    }),
    finding('artifact-missing', 'fail', 'database.dump.zst is 12 B in the store, 4.2 MiB in the manifest.', {
      subject: 's3://acme-backups/prod',
      hint: 'Restore from another store, and find out who writes here.',
    }),
  ],
  {
    headline: [
      { name: 'Newest backup', value: '20261121T031500Z-3f9a1c' },
      { name: 'Age', value: '3h' },
    ],
    tables: [
      {
        title: 'Stores',
        columns: [{ name: 'Store' }, { name: 'Backups', numeric: true }, { name: 'Size', numeric: true }],
        rows: [
          ['file:///srv/backups', '12', '4.2 MiB'],
          ['s3://acme-backups/prod', '11', '12 B'],
        ],
      },
      { title: 'All backups', columns: [{ name: 'Id' }], rows: [['20261121T031500Z-3f9a1c']], folded: true },
    ],
    trends: [
      {
        title: 'Size of the last backups',
        unit: 'MiB',
        points: [
          { label: '11-19', value: 4.1 },
          { label: '11-20', value: 4.15 },
          { label: '11-21', value: 4.2 },
        ],
      },
      { title: 'Duration', unit: 's', points: [{ label: '11-21', value: 5 }] },
    ],
  },
);

it('shows verdict, findings that are not pass with the worst first, numbers, then details', async () => {
  await expect(renderSummary(fresh)).toMatchFileSnapshot('summary/freshness.md');
});

it('lets nothing in names and messages act as Markdown, HTML, mention, reference or link', async () => {
  const text = report(hostile, [finding('facts-tables', 'fail', hostile, { subject: hostile, hint: hostile })], {
    headline: [{ name: hostile, value: hostile }],
    tables: [{ title: hostile, columns: [{ name: hostile }], rows: [[hostile]], folded: true }],
    trends: [
      {
        title: hostile,
        unit: 'a"b',
        points: [
          { label: '1"]\n```', value: 1 },
          { label: '2', value: 2 },
        ],
      },
    ],
  });
  const markdown = renderSummary(text);
  await expect(markdown).toMatchFileSnapshot('summary/hostile.md');
  expect(markdown).not.toMatch(/<img|@admin|#12|GH-3|http:|www\.evil|^## no/m);
  expect(markdown.match(/```/g)).toHaveLength(2);
});

it('says near the top who could not be told, and lets nothing in it act', async () => {
  const untold = { ...fresh, notices: [`The notification failed: ${hostile}`, 'The issue failed.'] };
  const markdown = renderSummary(untold);
  await expect(markdown).toMatchFileSnapshot('summary/not-told.md');
  expect(markdown).not.toMatch(/<img|@admin|#12|GH-3|http:|www\.evil|^## no/m);
  expect(markdown.indexOf('Not told')).toBeLessThan(markdown.indexOf('❌ **fail**'));
});

it('shows a report of a program that could not do its work', async () => {
  const failed = report('backup could not do its work', [
    finding('run-failed', 'unknown', 'pg_dump exited with 1: permission denied for table users', {
      hint: 'Grant `pg_read_all_data` to the role.',
    }),
  ]);
  await expect(renderSummary(failed)).toMatchFileSnapshot('summary/run-failed.md');
});

it('drops whole sections, never half of one, and says which, when there is too much', () => {
  const rows = Array.from({ length: 900 }, (_, at) => [`row ${at} ${'x'.repeat(1_500)}`]);
  const long: Report = { ...fresh, tables: [...fresh.tables, { title: 'Long one', columns: [{ name: 'A' }], rows }] };
  const markdown = renderSummary(long);
  expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(1_000_000);
  expect(markdown).toContain('### Stores');
  expect(markdown).toContain('1 check passed');
  expect(markdown).not.toContain('row 0');
  expect(markdown).toMatch(/Not shown, .*: Long one\. The whole report/);
});

it('lists a thousand rows and a hundred findings, and how many more there are', () => {
  const findings = Array.from({ length: 250 }, (_, at) => finding('facts-tables', 'fail', `table ${at}`));
  const rows = Array.from({ length: 1_200 }, (_, at) => [`row ${at}`]);
  const markdown = renderSummary(report('Big', findings, { tables: [{ title: 'T', columns: [{ name: 'A' }], rows }] }));
  expect(markdown).toContain('… and 150 more findings');
  expect(markdown).toContain('… and 200 more rows');
});
