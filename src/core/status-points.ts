import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';
import { type Html, html } from './html.ts';
import type { Going } from './retention-outlook.ts';
import { formatBytes } from './size.ts';
import { dayOf, type RecoveryPoint, type Status, type StoreStatus } from './status.ts';
import { minuteOf } from './status-curves.ts';

const DAY_MS = 86_400_000;

const drillWords: Readonly<Record<RecoveryPoint['drill'], string>> = {
  proven: 'proven',
  disproven: 'disproven',
  elsewhere: 'of another copy',
  unread: 'record not read',
  none: '–',
};

/** What can be restored from one store, what will be kept of it, and when each copy goes. */
export function pointsHtml(store: StoreStatus, source: string, status: Status, most: number): Html {
  const { location, points, problem } = store;
  if (problem !== undefined) {
    return html`<p><code>${location}</code> could not be read: ${problem}</p>`;
  }
  if (points.length === 0) return html`<p class="quiet">None in <code>${location}</code>.</p>`;
  const shown = points.slice(0, most);
  const label = `Recovery points of ${source} in ${location}`;
  return html`<details class="points"><summary>${counted(points.length, 'recovery point')} in <code>${location}</code>${fatesOf(store, status)}</summary>
<div class="scroll tall" tabindex="0" role="group" aria-label="${label}"><table>
<caption>${label}, newest first</caption>
<thead><tr><th scope="col">Taken (UTC)</th><th scope="col">Backup</th><th scope="col" class="n">Age</th><th scope="col" class="n">Size</th><th scope="col">Last drill</th><th scope="col">Pin</th>${status.policy !== undefined && html`<th scope="col">Goes</th><th scope="col">Why</th>`}</tr></thead>
<tbody>${shown.map((point) => rowHtml(point, status))}</tbody></table></div>
${shown.length < points.length && html`<p class="quiet">${counted(points.length - shown.length, 'older one')} left out here.</p>`}</details>`;
}

function rowHtml(point: RecoveryPoint, { now, policy }: Status): Html {
  const { id, takenAt, bytes, scope, drill, pinnedUntil, fate } = point;
  const pin = pinnedUntil === undefined ? '–' : pinnedUntil === null ? 'for ever' : `until ${dayOf(pinnedUntil)}`;
  const fated = fate && html`<td>${goingText(fate.going)}</td><td>${fate.reasons.join('; ')}</td>`;
  return html`<tr><th scope="row">${minuteOf(takenAt)}</th><td><code>${id}</code>${scope !== 'full' && html` <span class="quiet">${scope}</span>`}</td><td class="n">${formatDuration(now.getTime() - takenAt.getTime())}</td><td class="n">${formatBytes(bytes)}</td><td>${drillWords[drill]}</td><td>${pin}</td>${policy !== undefined && (fated ?? html`<td>–</td><td>–</td>`)}</tr>`;
}

function goingText(going: Going): string {
  if (going.when === 'next-prune') return 'with the next prune';
  if (going.when === 'later') return `after ${dayOf(going.than)}`;
  if (going.when === 'unknown') return '–';
  const isOneDay = going.by.getTime() - going.from.getTime() <= DAY_MS;
  return isOneDay ? dayOf(going.by) : `${dayOf(going.from)} to ${dayOf(going.by)}`;
}

/** What prune would do with all of them, and how far the dates beside each copy can be trusted. */
export function retentionHtml(stores: readonly StoreStatus[], { policy }: Status): Html | undefined {
  if (policy === undefined) return undefined;
  const rhythms = new Set(stores.flatMap(({ outlook }) => (outlook?.everyMs === undefined ? [] : [outlook.everyMs])));
  const every = [...rhythms].map((ms) => formatDuration(ms)).join(' or ');
  const ahead =
    rhythms.size === 0
      ? 'There are too few backups to tell how often they come, so nothing is said of later.'
      : `When each copy goes is worked out for a prune a day, a backup every ${every} as of late, and drills that go on proving younger ones.`;
  return html`<p class="retention">The rules are <code>${policy}</code>. ${ahead}</p>`;
}

function fatesOf({ points, isUnproven }: StoreStatus, { policy }: Status): string {
  if (policy === undefined) return '';
  const goes = points.filter(({ fate }) => fate?.going.when === 'next-prune').length;
  if (goes === 0) return ': none goes with the next prune';
  if (isUnproven) return `: none is proven, so the next prune keeps all; else ${goes} would go`;
  return `: ${goes} ${goes === 1 ? 'goes' : 'go'} with the next prune`;
}
