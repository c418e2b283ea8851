import { counted } from './counted.ts';
import { computed, type Html, html } from './html.ts';
import type { RecoveryPoint } from './status.ts';
import type { DrillReading } from './status-readings.ts';

/** What happened on one day, in UTC. */
export interface Day {
  readonly day: number;
  readonly backups: number;
  readonly drills: { readonly proven: number; readonly disproven: number; readonly inconclusive: number };
}

export interface Month {
  /** `2026-11` */
  readonly name: string;
  /** From the first to the last, or to today in the current month. */
  readonly days: readonly Day[];
  /** Of the first day; 0 is Monday. */
  readonly firstWeekday: number;
}

/** The current month and so many before it. */
const MONTHS_BEFORE = 11;
const CELL = 10;
const PITCH = 12;
const NAMES = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** Backups that are held and drills of them, day by day, for a year. A backup in two stores counts once. */
export function calendarOf(points: readonly RecoveryPoint[], drills: readonly DrillReading[], now: Date): Month[] {
  const backups = countBy(new Map(points.map(({ id, takenAt }) => [id, takenAt])).values(), (at) => at);
  const drilled = (proof: string) =>
    countBy(
      drills.filter(({ mark }) => mark.proof === proof),
      ({ mark }) => mark.startedAt,
    );
  const [proven, disproven, inconclusive] = ['proven', 'disproven', 'inconclusive'].map(drilled);
  return monthsUntil(now).map(({ name, first, last }) => ({
    name,
    firstWeekday: (first.getUTCDay() + 6) % 7,
    days: Array.from({ length: last }, (_, at) => {
      const key = `${name}-${String(at + 1).padStart(2, '0')}`;
      const of = (counts: ReadonlyMap<string, number> | undefined) => counts?.get(key) ?? 0;
      const found = { proven: of(proven), disproven: of(disproven), inconclusive: of(inconclusive) };
      return { day: at + 1, backups: of(backups), drills: found };
    }),
  }));
}

function countBy<T>(items: Iterable<T>, momentOf: (item: T) => Date): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) {
    const day = momentOf(item).toISOString().slice(0, 10);
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  return counts;
}

function monthsUntil(now: Date): { name: string; first: Date; last: number }[] {
  return Array.from({ length: MONTHS_BEFORE + 1 }, (_, at) => {
    const back = MONTHS_BEFORE - at;
    const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1));
    const end = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back + 1, 0));
    return { name: first.toISOString().slice(0, 7), first, last: back === 0 ? now.getUTCDate() : end.getUTCDate() };
  });
}

/** The year as small months, each with its numbers in words, and all of them as a table. */
export function calendarHtml(months: readonly Month[]): Html {
  const rows = months.toReversed().map((month) => {
    const { days, backups, drills } = totalsOf(month);
    return html`<tr><th scope="row">${titleOf(month)}</th><td class="n">${days}</td><td class="n">${backups}</td><td class="n">${drills.proven}</td><td class="n">${drills.disproven}</td><td class="n">${drills.inconclusive}</td></tr>`;
  });
  return html`<div class="months">${months.map(monthHtml)}</div>
${legend}
<details><summary>The year as a table</summary><div class="scroll" tabindex="0" role="group" aria-label="The year as a table"><table>
<caption>Backups held and drills of them, by month</caption>
<thead><tr><th scope="col">Month</th><th scope="col" class="n">Days with a backup</th><th scope="col" class="n">Backups</th><th scope="col" class="n">Drills proven</th><th scope="col" class="n">Disproven</th><th scope="col" class="n">Inconclusive</th></tr></thead>
<tbody>${rows}</tbody></table></div></details>`;
}

const legend = html`<ul class="legend">
<li>${key(html`<rect class="held" width="10" height="10" rx="2"/>`)} backup held</li>
<li>${key(html`<rect class="none" width="10" height="10" rx="2"/>`)} none held</li>
<li>${key(html`<rect class="held" width="10" height="10" rx="2"/><circle class="dot" cx="5" cy="5" r="2.5"/>`)} drill: proven</li>
<li>${key(html`<rect class="bad" width="10" height="10" rx="2"/><path class="cross" d="M3 3l4 4M7 3l-4 4"/>`)} drill: disproven</li>
<li>${key(html`<rect class="none" width="10" height="10" rx="2"/><circle class="ring" cx="5" cy="5" r="2.5"/>`)} drill: inconclusive</li>
</ul>`;

function key(shapes: Html): Html {
  return html`<svg class="key" width="14" height="14" viewBox="-1 -1 12 12" aria-hidden="true">${shapes}</svg>`;
}

function monthHtml(month: Month): Html {
  const rows = Math.ceil((month.firstWeekday + 31) / 7);
  return html`<div class="month"><span class="month-name" aria-hidden="true">${shortTitleOf(month)}</span><svg role="img" aria-label="${inWords(month)}" viewBox="0 0 ${7 * PITCH} ${rows * PITCH}">${shapesOf(month)}</svg></div>`;
}

/** One path for each kind of day, and not an element for each day: a hundred calendars stay small. */
function shapesOf({ days, firstWeekday }: Month): Html[] {
  const kinds: Record<'none' | 'held' | 'bad' | 'dot' | 'cross' | 'ring', string[]> = {
    none: [],
    held: [],
    bad: [],
    dot: [],
    cross: [],
    ring: [],
  };
  for (const { day, backups, drills } of days) {
    const at = firstWeekday + day - 1;
    const [x, y] = [(at % 7) * PITCH + 1, Math.floor(at / 7) * PITCH + 1];
    const kind = drills.disproven > 0 ? 'bad' : backups > 0 ? 'held' : 'none';
    kinds[kind].push(`M${x} ${y}h${CELL}v${CELL}h-${CELL}z`);
    if (drills.disproven > 0) kinds.cross.push(`M${x + 3} ${y + 3}l4 4M${x + 7} ${y + 3}l-4 4`);
    else if (drills.proven > 0) kinds.dot.push(circle(x, y));
    else if (drills.inconclusive > 0) kinds.ring.push(circle(x, y));
  }
  return Object.entries(kinds).flatMap(([kind, paths]) =>
    paths.length === 0 ? [] : [html`<path class="${kind}" d="${computed(paths.join(''))}"/>`],
  );
}

function circle(x: number, y: number): string {
  return `M${x + 2.5} ${y + 5}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0`;
}

function totalsOf({ days }: Month) {
  const sum = (of: (day: Day) => number) => days.reduce((total, day) => total + of(day), 0);
  return {
    days: days.filter(({ backups }) => backups > 0).length,
    backups: sum(({ backups }) => backups),
    drills: {
      proven: sum(({ drills }) => drills.proven),
      disproven: sum(({ drills }) => drills.disproven),
      inconclusive: sum(({ drills }) => drills.inconclusive),
    },
  };
}

function inWords(month: Month): string {
  const { days, backups, drills } = totalsOf(month);
  const drilled = Object.entries(drills).flatMap(([proof, count]) =>
    count === 0 ? [] : [`${counted(count, 'drill')} ${proof}`],
  );
  const held = backups === 0 ? 'no backup' : `${counted(backups, 'backup')} on ${counted(days, 'day')}`;
  return `${titleOf(month)}: ${[held, ...drilled].join(', ')}`;
}

function titleOf({ name }: Month): string {
  return `${NAMES[Number(name.slice(5)) - 1]} ${name.slice(0, 4)}`;
}

function shortTitleOf({ name }: Month): string {
  return `${NAMES[Number(name.slice(5)) - 1]?.slice(0, 3)} ${name.slice(0, 4)}`;
}
