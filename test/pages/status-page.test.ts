import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import { describe, expect, it } from 'vitest';
import { verifyFreshness } from '../../src/actions/verify-freshness.ts';
import { status } from '../../src/commands/status.ts';
import { Failure } from '../../src/core/failure.ts';
import type { Store } from '../../src/core/ports.ts';
import { finding } from '../../src/core/report.ts';
import type { Status } from '../../src/core/status.ts';
import { statusPage } from '../../src/core/status-page.ts';
import { at, fakeWorld, forever, idAt, putBackup, putDrill } from '../fixtures.ts';
import { emptyStore, enlarged, keep, now, type Story, showStatus, tellStory } from './sites.ts';

type Node = DefaultTreeAdapterTypes.Node;

function* elementsOf(node: Node): Generator<DefaultTreeAdapterTypes.Element> {
  if ('tagName' in node) yield node;
  if ('childNodes' in node) for (const child of node.childNodes) yield* elementsOf(child);
}

function textOf(node: Node): string {
  if ('value' in node) return node.value;
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
}

/** Cells of the table with this caption, row by row. */
function tableOf(page: string, caption: string): string[][] {
  const elements = [...elementsOf(parse(page))];
  const table = elements.find(
    (one) =>
      one.tagName === 'table' &&
      [...elementsOf(one)].some((part) => part.tagName === 'caption' && textOf(part).startsWith(caption)),
  );
  if (table === undefined) throw new Error(`There is no table "${caption}".`);
  const rows = [...elementsOf(table)].filter(({ tagName }) => tagName === 'tr');
  return rows.map((row) =>
    [...elementsOf(row)].filter(({ tagName }) => /^t[hd]$/.test(tagName)).map((cell) => textOf(cell).trim()),
  );
}

const here = 'file:///srv/backups';
const points = (page: string, store = here) => tableOf(page, `Recovery points of orders in ${store}`);

async function story(...others: readonly Story[]): Promise<Store> {
  const store = emptyStore();
  for (const one of [{ source: 'orders' }, ...others]) await tellStory(store, one);
  return enlarged(store);
}

describe('the page', () => {
  it('is the same for the same stores at the same moment', async () => {
    expect((await showStatus([await story()], { ...keep })).page).toBe(
      (await showStatus([await story()], { ...keep })).page,
    );
  });

  it('says of every source: verdict, age and limit, last drill, what to do, the worst first', async () => {
    const store = await story({ source: 'wallets', newestDaysAgo: 3 });
    const { page, report } = await showStatus([store]);
    expect(report.verdict).toBe('fail');
    const [head, ...rows] = tableOf(page, 'All sources');
    expect(head).toEqual(['Source', 'Verdict', 'Newest backup', 'Size', 'Last drill', 'What to do']);
    expect(rows.map((row) => row.slice(0, 3))).toEqual([
      ['wallets', 'fail', '3d 8h limit 1d 2h'],
      ['orders', 'pass', '8h 43m limit 1d 2h'],
    ]);
    expect(rows[0]?.[5]).toBe('Look at the last runs of the backup job: it failed, or it did not run.');
  });

  it('says of every copy its drill, its pin, and without keep rules nothing of what prune keeps', async () => {
    const [one, two] = [emptyStore(), emptyStore('s3://acme/prod')];
    for (const store of [one, two]) {
      for (const day of ['18', '19', '20', '21']) putBackup(store, `2026-11-${day}T03:00:00Z`);
    }
    const ids = ['18', '19', '20'].map((day) => idAt(`2026-11-${day}T03:00:00Z`));
    const [first = '', second = '', third = ''] = ids;
    for (const store of [one, two]) {
      const drilledHere = { store: here };
      await putDrill(store, { source: 'orders', id: first }, '2026-11-18T05:00:00Z', {
        ...drilledHere,
        alsoRead: [two.location],
      });
      await putDrill(store, { source: 'orders', id: second }, '2026-11-19T05:00:00Z', drilledHere);
      await putDrill(store, { source: 'orders', id: third }, '2026-11-20T05:00:00Z', {
        ...drilledHere,
        verdict: 'fail',
        proof: 'disproven',
      });
    }
    one.overwrite(`orders/${third}/${forever.key}`, Buffer.from('{}'), at(now));
    one.overwrite(`orders/${second}/pin-20270101T000000Z.json`, Buffer.from('{}'), at(now));
    const { page } = await showStatus([one, two]);
    expect(points(page)[0]).toEqual(['Taken (UTC)', 'Backup', 'Age', 'Size', 'Last drill', 'Pin']);
    expect(
      points(page)
        .slice(1)
        .map((row) => row.slice(4)),
    ).toEqual([
      ['–', '–'],
      ['disproven', 'for ever'],
      ['proven', 'until 2027-01-01'],
      ['proven', '–'],
    ]);
    expect(
      points(page, 's3://acme/prod')
        .slice(1)
        .map((row) => row[4]),
    ).toEqual(['–', 'of another copy', 'of another copy', 'proven']);
    expect(page).toContain('no keep rule was given');
  });

  it('says of every copy when it goes, and why', async () => {
    const store = emptyStore();
    for (const day of ['17', '18', '19', '20', '21']) putBackup(store, `2026-11-${day}T03:00:00Z`);
    await putDrill(store, { source: 'orders', id: idAt('2026-11-20T03:00:00Z') }, '2026-11-20T05:00:00Z');
    const { page } = await showStatus([store], { 'keep-last': '2' });
    expect(
      points(page)
        .slice(1)
        .map((row) => row.slice(6)),
    ).toEqual([
      ['2026-11-23', 'newest; last 1 of 2'],
      ['2026-11-22', 'newest proven; last 2 of 2'],
      ['with the next prune', 'last is full (2)'],
      ['with the next prune', 'last is full (2)'],
      ['with the next prune', 'last is full (2)'],
    ]);
    expect(page).toContain('3 go with the next prune');
    await store.remove([
      `orders/${idAt('2026-11-20T03:00:00Z')}/drills/${idAt('2026-11-20T05:00:00Z', 'drill')}.pass.proven.json`,
    ]);
    expect((await showStatus([store], { 'keep-last': '2' })).page).toContain(
      'none is proven, so the next prune keeps all; else 3 would go',
    );
  });

  it('shows the other stores when one cannot be read', async () => {
    const broken = emptyStore('s3://broken');
    broken.failWith(new Failure('store-denied', 'Access was denied.'));
    const { page, report } = await showStatus([await story(), broken], { ...keep, source: 'orders' });
    expect(report.verdict).toBe('unknown');
    expect(points(page).length).toBeGreaterThan(10);
    expect(page).toContain('<code>s3://broken</code> could not be read: Access was denied.');
  });

  it('reads a bounded number of records, whatever there is, and says what it left out', async () => {
    const store = emptyStore();
    for (let hour = 0; hour < 3_000; hour += 1) {
      putBackup(store, new Date(at(now).getTime() - hour * 3_600_000), { bytes: 10 });
    }
    const { page } = await showStatus([store]);
    expect(store.calls.get).toBeLessThan(70);
    expect(page).toContain('how long 2,940 backups took');
    expect(page).toContain('2,600 older ones left out here');
    expect(page.length).toBeLessThan(300_000);
  });

  it('takes secrets out of what others wrote', async () => {
    const broken = emptyStore('s3://broken');
    broken.failWith(new Failure('store-denied', 'The key hunter2 was refused.', { hint: 'Replace hunter2.' }));
    const redact = (text: string) => text.replaceAll('hunter2', '***');
    const { page } = await showStatus([await story(), broken], { ...keep }, { redact });
    expect(page).not.toContain('hunter2');
    expect(page).toContain('The key *** was refused.');
  });
});

it('lets nothing of stores and databases act as markup', () => {
  const hostile = `</title></style><script>alert(1)</script><img src=x onerror=alert(1)> "' \`<b>\` javascript:alert(1) \u202e`;
  const source = {
    source: hostile,
    verdict: 'fail',
    ageMs: 1,
    maxAgeMs: 1,
    bytes: [1],
    lastDrill: { proof: hostile, ageMs: 1 },
    nextAction: hostile,
  } as const;
  const point = {
    id: hostile,
    takenAt: at('2026-11-20'),
    bytes: 1,
    scope: hostile,
    drill: 'none',
    pinnedUntil: null,
    fate: { going: { when: 'next-prune' }, reasons: [hostile] },
  } as const;
  const judged = finding('facts-tables', 'fail', hostile, { subject: hostile, hint: hostile });
  const given: Status = {
    now: at(now),
    verdict: 'fail',
    findings: [judged],
    sources: [
      {
        overview: source,
        findings: [judged, { ...judged, status: 'pass' }],
        stores: [
          { location: hostile, points: [point], outlook: { everyMs: 1 }, isUnproven: true, problem: undefined },
          { location: hostile, points: [], outlook: undefined, isUnproven: false, problem: hostile },
        ],
        durations: [],
        drills: [],
        notRead: { manifests: 1, drills: 1 },
      },
    ],
    policy: hostile,
    tool: { name: hostile, version: hostile },
  };
  const elements = [...elementsOf(parse(statusPage(given)))];
  const names = elements.map(({ tagName }) => tagName);
  expect(names).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(script|img|iframe|form|object|link|base)$/)]),
  );
  const attributes = elements.flatMap(({ attrs }) => attrs);
  expect(attributes.filter(({ name }) => name.startsWith('on') || name === 'style' || name === 'src')).toEqual([]);
  const links = attributes.filter(({ name }) => name === 'href').map(({ value }) => value);
  expect(links.every((link) => link.startsWith('#'))).toBe(true);
  expect(elements.filter(({ tagName }) => tagName === 'style')).toHaveLength(1);
});

describe('a page that cannot be written', () => {
  const writePage = () => Promise.reject(new Failure('page-not-written', 'The disk is full.', { hint: 'Make room.' }));
  const raw = { store: here };

  it('changes no verdict of verify-freshness, which says so', async () => {
    const warnings: string[] = [];
    const world = fakeWorld({ [here]: await story() }, now, { writePage });
    const log = { ...world.log, warning: (line: string) => void warnings.push(line) };
    const report = await verifyFreshness({ ...raw, 'status-page': 'out' }, { ...world, log });
    expect(report).toMatchObject({
      verdict: 'pass',
      notices: ['The status page failed: The disk is full. Make room.'],
    });
    expect(warnings).toEqual(report.notices);
  });

  it('is what the command for it could not do', async () => {
    const world = fakeWorld({ [here]: await story() }, now, { writePage });
    await expect(status({ ...raw, html: 'out' }, world)).rejects.toThrow('The disk is full.');
  });
});

it('refuses keep rules where no page would show what they keep', async () => {
  const world = fakeWorld({ [here]: await story() }, now);
  await expect(verifyFreshness({ store: here, 'keep-daily': '7' }, world)).rejects.toMatchObject({
    code: 'invalid-input',
  });
  await expect(status({ store: here, 'keep-daily': '7' }, world)).rejects.toMatchObject({ code: 'invalid-input' });
});

it('writes no page that was not asked for', async () => {
  const world = fakeWorld({ [here]: await story() }, now);
  expect((await status({ store: here }, world)).verdict).toBe('pass');
  expect((await verifyFreshness({ store: here }, world)).notices).toEqual([]);
});
