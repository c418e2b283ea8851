import fc from 'fast-check';
import { expect, it } from 'vitest';
import { finding, type Report, report } from '../../src/core/report.ts';
import { renderText } from '../../src/core/report-text.ts';
import { renderSummary } from '../../src/github/summary.ts';
import { expectWellFormed } from './well-formed.ts';

/** What Markdown, HTML, mermaid, GitHub and a runner each take for theirs. */
const pieces = [
  ...[
    '|',
    '\\',
    '\\|',
    '`',
    '```',
    '```mermaid\n',
    '~~~',
    '\n',
    '\r\n',
    '\r',
    '\n\n',
    '\n#',
    '\n- ',
    '\n> ',
    '\t',
    '    ',
  ],
  ...['<', '>', '<script>', '</details>', '<!--', '-->', '<![CDATA[', '<code>', '&lt;', '&', '<br>', '</summary>'],
  ...['::error::', '::stop-commands::x', '\n::set-output name=x::y', '##[error]', '$', '$$', '*', '**', '_', '~~'],
  ...[
    '[a](http://evil.example)',
    '![a](http://evil.example)',
    '[a]: http://evil.example',
    '@acme/admins',
    'https://evil.example',
    '_www.evil.example',
    '#12',
    'GH-3',
  ],
  ...[
    '"',
    "'",
    ']',
    ', ',
    '\u001b[31m',
    '\u202e',
    '\u200b',
    '\u2028',
    '\u0085',
    '\u0000',
    '\ud83d',
    '%0A',
    'a',
    'ä',
    '𝕏',
    '---',
  ],
];
const hostile = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''));
const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(1e300, -1, 5e-324, Number.NaN, 1e21));

const reports: fc.Arbitrary<Report> = fc
  .record({
    title: hostile,
    messages: fc.array(fc.record({ message: hostile, subject: hostile, hint: hostile }), { maxLength: 4 }),
    passed: fc.array(hostile, { maxLength: 3 }),
    columns: fc.array(hostile, { minLength: 1, maxLength: 4 }),
    rows: fc.array(fc.array(hostile, { maxLength: 5 }), { maxLength: 4 }),
    folded: fc.boolean(),
    points: fc.array(fc.record({ label: hostile, value }), { maxLength: 4 }),
    unit: hostile,
  })
  .map((given) => {
    const bad = given.messages.map((one) => finding('facts-tables', 'fail', one.message, one));
    const good = given.passed.map((message) => finding('backup-age', 'pass', message, { subject: message }));
    return report(given.title, [...bad, ...good], {
      headline: [{ name: given.unit, value: given.title }],
      tables: [
        {
          title: given.title,
          columns: given.columns.map((name) => ({ name })),
          rows: given.rows,
          folded: given.folded,
        },
      ],
      trends: [{ title: given.title, unit: given.unit, points: given.points }],
    });
  });

it('keeps its form, whatever is in it', () => {
  fc.assert(
    fc.property(reports, (given) => expectWellFormed(renderSummary(given))),
    { numRuns: 400 },
  );
});

it('shows the worst findings and the verdict, however long others are', () => {
  const long = '<'.repeat(5_000);
  const findings = Array.from({ length: 200 }, () => finding('left-out', 'warn', long, { subject: long, hint: long }));
  const summary = renderSummary(report('x', [...findings, finding('artifact-corrupt', 'fail', 'One byte is wrong.')]));
  expect(summary).toMatch(/^## ❌ fail: x\n\n- ❌ \*\*fail\*\* One byte is wrong\./u);
  expect(summary).toMatch(/… and \d+ more findings/);
  expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(1_000_000);
});

it('writes a table of two hundred thousand rows as text', () => {
  const rows = Array.from({ length: 200_000 }, (_, at) => [String(at)]);
  const tables = [{ title: 'All', columns: [{ name: 'Id' }], rows }];
  expect(renderText(report('x', [], { tables })).split('\n')).toHaveLength(rows.length + 5);
});
