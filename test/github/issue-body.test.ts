import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextSteps } from '../../src/core/next-steps.ts';
import { type Finding, finding } from '../../src/core/report.ts';
import { groupNames, groupOf } from '../../src/core/rule-groups.ts';
import { ruleIds } from '../../src/core/rules.ts';
import { bodyOf, closedBodyOf, overComment, stillComment, titleOf } from '../../src/github/issue-body.ts';
import { type IssueMarker, putBlock, readMarker } from '../../src/github/issue-marker.ts';
import { at } from '../fixtures.ts';

const marker: IssueMarker = {
  source: 'orders',
  action: 'backup',
  group: 'size',
  since: '2026-11-21T03:15:00.000Z',
  runs: 3,
  returns: 0,
  toldAt: '2026-11-21T03:15:00.000Z',
  title: 'orders: too small',
  about: ['Nightly/backup'],
};
const now = at('2026-11-22T03:15:00Z');
const trouble = (...findings: Finding[]) => ({
  key: { source: 'orders', action: 'backup', group: 'size' as const },
  findings,
  about: marker.about,
});
const small = (message: string) => finding('min-size', 'fail', message);
const telling = (...findings: Finding[]) => ({ trouble: trouble(...findings), marker, run: undefined, now });

describe('a title', () => {
  const title = (one: Finding, source = 'orders') => titleOf({ ...trouble(one), key: { ...trouble().key, source } });

  it.each([
    ['4 MB, less than 10 MB. The rest of it.', 'orders: 4 MB, less than 10 MB'],
    ['orders: 4 MB, less than 10 MB.', 'orders: 4 MB, less than 10 MB'],
    ['One\nTwo', 'orders: One'],
    ['It is pg_dump 15.20 of @acme/dba.', 'orders: It is pg_dump 15.20 of @\u200bacme/dba'],
    ['a\u202eb\u0007', 'orders: a\\u{202e}b\\x07'],
    ['', 'orders: '],
  ])('of %j says what is wrong', (message, expected) => {
    expect(title(small(message))).toBe(expected);
  });

  it('says the age of the newest backup, and is short', () => {
    const old = finding('backup-age', 'fail', 'orders: …', { numbers: { ageSeconds: 262_800 } });
    expect(title(old)).toBe('orders: newest backup is 3d 1h old');
    expect(title(small('x'.repeat(5_000)), '*').length).toBeLessThan(200);
  });
});

describe('a body', () => {
  it('holds whole findings, as many as GitHub takes, and says how many are left out', () => {
    const findings = Array.from({ length: 500 }, (_, index) => small(`number ${index} ${'&'.repeat(300)} end`));
    const body = bodyOf('', telling(...findings));
    expect(body.length).toBeLessThanOrEqual(65_536);
    const shown = body.match(/^- ❌/gm)?.length ?? 0;
    expect(shown).toBeGreaterThan(30);
    expect(body.match(/ end \(`min-size`\)$/gm)).toHaveLength(shown);
    expect(body).toContain(`- … and ${500 - shown} more, all in the JSON report of the run.`);
    expect(body).toMatch(/#### What to do next[\s\S]*<!-- \/lifeboat -->$/);
  });

  it('leaves room for what people wrote', () => {
    const findings = Array.from({ length: 500 }, () => small('x'.repeat(300)));
    const before = `${'Ann wrote this. '.repeat(3_000)}${putBlock('', marker, 'old')}`;
    const body = bodyOf(before, telling(...findings));
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body.startsWith('Ann wrote this. ')).toBe(true);
  });

  it('lets no foreign text mention, link, end the marker, or open HTML', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('@', 'a', '#', '1', '<', '!', '-', '>', ' ', '`', '\n') }),
        (text) => {
          const hostile = `--> <!-- lifeboat {} --> <!-- /lifeboat --> @acme/dba #12 <img src=x> ${text}`;
          const own = { ...marker, title: hostile, about: [hostile] };
          const body = bodyOf('', { ...telling(small(hostile)), marker: own });
          expect(readMarker(body)).toEqual(own);
          expect(body.match(/<!-- lifeboat /g)).toHaveLength(1);
          expect(body.match(/<!-- \/lifeboat -->/g)).toHaveLength(1);
          expect(body.slice(body.indexOf('\n'))).not.toMatch(/@acme|#12|<img/);
          expect(putBlock(body, own, 'new')).toMatch(/^<!-- lifeboat .*-->\nnew\n<!-- \/lifeboat -->$/);
        },
      ),
    );
  });

  it('of a closed issue keeps the marker, for when it comes back', () => {
    const body = closedBodyOf(bodyOf('', telling(small('x'))), marker, 'https://github.example/run', now);
    expect(readMarker(body)).toEqual(marker);
    expect(body).toContain('**Over since:** 2026-11-22 03:15 UTC in [this run](https://github.example/run)');
  });
});

it('keeps comments short, and says for how long it lasted', () => {
  const findings = Array.from({ length: 500 }, () => small('x'.repeat(300)));
  expect(stillComment(telling(...findings)).length).toBeLessThanOrEqual(4_000);
  expect(overComment(marker, undefined, now)).toContain('It lasted 1d.');
});

it.each([undefined, '', '{', '{}', 'null', JSON.stringify({ ...marker, since: 'yesterday' })])(
  'takes %j for no marker',
  (json) => {
    expect(readMarker(`<!-- lifeboat ${json} -->\n<!-- /lifeboat -->`)).toBeUndefined();
  },
);

it('puts every rule into a group that has steps, and leaves no group empty', () => {
  for (const rule of ruleIds) expect(nextSteps[groupOf[rule]].length).toBeGreaterThan(0);
  expect(new Set(Object.values(groupOf))).toEqual(new Set(groupNames));
});
