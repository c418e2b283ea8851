import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fillFormat, formatTables } from '../../scripts/format-tables.ts';
import { ruleIds } from '../../src/core/rules.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/FORMAT.md'), 'utf8');

it('has the tables that the schemas give', () => {
  expect(fillFormat(document)).toBe(document);
});

it('lists every rule and every field of a record', () => {
  for (const id of ruleIds) expect(document).toContain(`| \`${id}\` |`);
  for (const field of ['artifacts[].sha256', 'server.settings[].setting', 'alsoRead', 'sequences[].before.value']) {
    expect(document).toContain(`| \`${field}\` |`);
  }
});

it('would notice a table that is old, unknown or not shown', () => {
  const older = document.replace('| `artifacts[].sha256` | 64 hex digits |', '| `artifacts[].sha1` | 40 hex digits |');
  expect(older).not.toBe(document);
  expect(fillFormat(older)).toBe(document);
  const [shown = ''] = Object.keys(formatTables);
  expect(() => fillFormat(document.replace(`<!-- table: ${shown} -->`, ''))).toThrow(`does not show ${shown}`);
  expect(() => fillFormat(`${document}\n<!-- table: nothing -->\n<!-- end -->\n`)).toThrow(
    'asks for a table "nothing"',
  );
});

it('leads to every one of its sections', () => {
  const anchors = [...document.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
  const links = [...document.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor);
  expect(links.length).toBeGreaterThan(8);
  expect(links.filter((link) => !anchors.includes(link ?? ''))).toEqual([]);
});

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  const text = heading.replaceAll('&lt;', '').replaceAll('&gt;', '').toLowerCase();
  return text.replaceAll(/[^a-z0-9 _-]/g, '').replaceAll(' ', '-');
}
