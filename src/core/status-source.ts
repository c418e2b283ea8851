import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';
import { drillText } from './freshness-overview.ts';
import { type Html, html, prose } from './html.ts';
import { type Finding, worstFirst } from './report.ts';
import { formatBytes } from './size.ts';
import type { SourceStatus, Status } from './status.ts';
import { calendarHtml, calendarOf } from './status-calendar.ts';
import { type Curve, curveHtml } from './status-curves.ts';
import { pointsHtml, retentionHtml } from './status-points.ts';
import type { Reading } from './status-readings.ts';
import { ageBar, badge } from './status-signs.ts';

/** How much of each source is shown: a page of a hundred sources must still open on a phone. */
export interface Detail {
  readonly values: number;
  readonly points: number;
  /** Whether the checks that passed are listed, or only counted. */
  readonly passed: boolean;
  readonly open: boolean;
}

const MiB = 1024 ** 2;
const byteUnits = [1, 1024, MiB, 1024 * MiB, MiB ** 2];
const secondUnits = [1, 60, 3_600, 86_400];
const seconds = (value: number) => (value === 0 ? '0s' : formatDuration(value * 1_000));

/** Everything of one source, folded while all is well and there are many. */
export function sourceHtml(source: SourceStatus, status: Status, detail: Detail): Html {
  const { overview, findings } = source;
  const name = overview.source;
  return html`<details class="source ${overview.verdict}"${html`${detail.open && html` open`}`}>
<summary><h2>${name}</h2> ${badge(overview.verdict)}</summary>
<div class="inside" id="source-${name}">
${factsHtml(source, status)}
${findingsHtml(findings)}
<h3>Backups and drills of the year</h3>
<p class="quiet">What is still held in any store, by day. What prune removed is not here.</p>
${calendarHtml(
  calendarOf(
    source.stores.flatMap(({ points }) => points),
    source.drills,
    status.now,
  ),
)}
<h3>Size and times</h3>
<div class="curves">${curvesOf(source).map((curve) => curveHtml(curve, detail.values))}</div>
${leftOutHtml(source, detail)}
<h3>Recovery points</h3>
${retentionHtml(source.stores, status)}
${source.stores.map((store) => pointsHtml(store, name, status, detail.points))}
${passedHtml(findings, detail)}
</div></details>`;
}

function factsHtml({ overview, stores }: SourceStatus, { now }: Status): Html {
  const { ageMs, maxAgeMs, bytes, lastDrill } = overview;
  const newest = bytes.at(-1);
  const oldest = stores.flatMap(({ points }) => points.slice(-1)).toSorted((a, b) => +a.takenAt - +b.takenAt)[0];
  const held = stores.map(({ location, points }) => html`<div>${points.length} in <code>${location}</code></div>`);
  const age = ageMs === undefined ? 'not in every store' : `${formatDuration(ageMs)} old`;
  return html`<dl class="facts">
<div><dt>Newest backup</dt><dd>${age} ${ageBar(ageMs, maxAgeMs)}<span class="quiet">limit ${formatDuration(maxAgeMs)}</span></dd></div>
<div><dt>Size</dt><dd>${newest === undefined ? '–' : formatBytes(newest)}</dd></div>
<div><dt>Last drill</dt><dd>${drillText(lastDrill)}</dd></div>
<div><dt>Recovery points</dt><dd>${held}${oldest && html`<span class="quiet">oldest ${formatDuration(now.getTime() - oldest.takenAt.getTime())}</span>`}</dd></div>
</dl>`;
}

/** What is not well, the worst first, and what to do about each. The same in two stores is said once. */
export function findingsHtml(findings: readonly Finding[]): Html | undefined {
  const judged = worstFirst(findings).filter(({ status }) => status !== 'pass');
  if (judged.length === 0) return undefined;
  const same = Map.groupBy(judged, ({ rule, status, message, hint }) => [rule, status, message, hint].join('\n'));
  return html`<ul class="findings">${[...same.values()].map(findingHtml)}</ul>`;
}

function findingHtml(same: readonly Finding[]): Html | undefined {
  const [first] = same;
  if (first === undefined) return undefined;
  const { status, message, hint, rule } = first;
  const places = same.flatMap(({ subject }) => (subject === undefined ? [] : [html` in <code>${subject}</code>`]));
  return html`<li class="${status}">${badge(status)} ${prose(message)}
${hint !== undefined && html`<p class="todo"><b>What to do:</b> ${prose(hint)}</p>`}
<p class="quiet"><code>${rule}</code>${places.map((place, at) => [at > 0 && ',', place])}</p></li>`;
}

function passedHtml(findings: readonly Finding[], detail: Detail): Html | undefined {
  const passed = findings.filter(({ status }) => status === 'pass');
  if (passed.length === 0) return undefined;
  const passing = `${counted(passed.length, 'check')} passed`;
  if (!detail.passed) return html`<p class="quiet">${passing}.</p>`;
  const items = passed.map(
    ({ message, rule, subject }) =>
      html`<li>${prose(message)} <span class="quiet"><code>${rule}</code>${subject !== undefined && html` in <code>${subject}</code>`}</span></li>`,
  );
  return html`<details class="passed"><summary>${passing}</summary><ul>${items}</ul></details>`;
}

function curvesOf({ overview, stores, durations, drills }: SourceStatus): Curve[] {
  const id = `curve-${overview.source}`;
  const longest = stores.map(({ points }) => points).toSorted((a, b) => b.length - a.length)[0] ?? [];
  const sizes = longest.map(({ takenAt, bytes }) => ({ at: takenAt, value: bytes })).toReversed();
  const restores = drills.flatMap(({ mark, record }): Reading[] => {
    const value = record?.restoreSeconds ?? undefined;
    return value === undefined ? [] : [{ at: mark.startedAt, value }];
  });
  const times = { format: seconds, units: secondUnits };
  return [
    {
      id: `${id}-size`,
      title: 'Size',
      readings: sizes,
      format: formatBytes,
      units: byteUnits,
      nothing: 'No backup yet.',
    },
    { id: `${id}-duration`, title: 'Duration of a backup', readings: durations, ...times, nothing: 'No backup yet.' },
    {
      id: `${id}-restore`,
      title: 'Restore time in drills',
      readings: restores,
      ...times,
      nothing: 'No drill has restored a backup yet.',
    },
  ];
}

/** A curve that ends early without a word would be taken for the whole story. */
function leftOutHtml({ notRead, stores }: SourceStatus, { values }: Detail): Html | undefined {
  const most = stores.reduce((longest, { points }) => Math.max(longest, points.length), 0);
  const parts = [
    most > values ? `the size of ${counted(most - values, 'older backup')}` : '',
    notRead.manifests > 0 ? `how long ${counted(notRead.manifests, 'backup')} took` : '',
    notRead.drills > 0
      ? `what the ${notRead.drills === 1 ? 'record' : 'records'} of ${counted(notRead.drills, 'drill')} say`
      : '',
  ].filter((part) => part !== '');
  if (parts.length === 0) return undefined;
  return html`<p class="quiet">Left out: ${parts.join('; ')}. The newest are read; those of before are in the store.</p>`;
}
