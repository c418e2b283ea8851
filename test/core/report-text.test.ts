import { expect, it } from 'vitest';
import { finding, report } from '../../src/core/report.ts';
import { renderText } from '../../src/core/report-text.ts';

it('says verdict, what is not well with what to do, numbers and tables, and counts the rest', () => {
  const text = renderText(
    report(
      'Freshness of orders',
      [
        finding('backup-age', 'pass', 'Young enough.'),
        finding('drill-age', 'warn', 'Old drill.'),
        finding('artifact-missing', 'fail', 'One is gone.\nTwo are gone.', { subject: 'file:///b', hint: 'Look.' }),
      ],
      {
        headline: [{ name: 'Age', value: '3h' }],
        tables: [
          {
            title: 'Stores',
            columns: [{ name: 'Store' }, { name: 'Size', numeric: true }],
            rows: [['file:///b', '4 B']],
          },
          {
            title: 'Long',
            columns: [{ name: 'A' }],
            rows: Array.from({ length: 21 }, () => ['not here']),
            folded: true,
          },
          { title: 'Short', columns: [{ name: 'A' }], rows: [['here']], folded: true },
        ],
      },
    ),
  );
  expect(text).toBe(`FAIL: Freshness of orders

fail artifact-missing [file:///b]: One is gone.
  Two are gone.
  -> Look.
warn drill-age: Old drill.

Age: 3h

Stores
  Store      Size
  file:///b   4 B

Long: 21 rows, in the JSON report (\`--json\`, or the file of \`report-path\`).

Short
  A
  here

1 check passed.
`);
});

it('says first who could not be told', () => {
  const untold = { ...report('Freshness of orders', []), notices: ['The notification failed: a\nb\u001b'] };
  expect(renderText(untold)).toBe('UNKNOWN: Freshness of orders\n\nNot told: The notification failed: a\n  b\\x1b\n');
});

it('spells out control characters and direction marks of names', () => {
  expect(renderText(report('a\u001b[2Jb\u202e', [finding('amcheck', 'fail', 'x\u0007\ty')]))).toBe(
    'FAIL: a\\x1b[2Jb\\u{202e}\n\nfail amcheck: x\\x07 y\n',
  );
});

it('breaks a cell of sentences into lines, and leaves whole what is copied', () => {
  const long = Array.from({ length: 15 }, (_, at) => `word${at}`).join(' ');
  const table = {
    title: 'Steps',
    columns: [{ name: '#', numeric: true }, { name: 'What', wraps: true }, { name: 'SQL' }],
  };
  const text = renderText(
    report('a', [finding('drill-age', 'pass', '')], { tables: [{ ...table, rows: [['1', long, long]] }] }),
  );
  const [first = '', second = ''] = text.split('\n').filter((line) => line.includes('word'));
  expect(first).toMatch(/^ {2}1 {2}word0 .*word9 +word0 .*word14$/);
  expect(second).toMatch(/^ {5}word10 .*word14$/);
});
