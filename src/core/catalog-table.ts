import type { ListedBackup, ListedCopy, ListedSource } from './catalog-rows.ts';
import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';
import type { Store } from './ports.ts';
import { type Finding, finding, type Report, report, type Table } from './report.ts';
import { formatBytes } from './size.ts';

interface Around {
  readonly around: readonly Finding[];
  readonly now: Date;
  /** Whether it is the past that is shown. */
  readonly isPast: boolean;
  /** The one that was asked for. */
  readonly source: string | undefined;
}

/** What was listed, as a report: a table for each source, and what must not be overlooked. */
export function catalogReport(
  listed: readonly ListedSource[],
  stores: readonly Pick<Store, 'location'>[],
  { around, now, isPast, source }: Around,
): Report {
  const held = listed.filter(({ backups }) => backups.length > 0);
  const count = held.reduce((sum, { backups }) => sum + backups.length, 0);
  const findings = [...around, ...listed.flatMap((one) => [...one.findings, ...catalogFindings(one)])];
  if (count === 0 && findings.every(({ status }) => status === 'pass')) findings.push(nothingThere(source, isPast));
  else if (stores.length > 0) findings.push(finding('store-readable', 'pass', `${counted(count, 'backup')} listed.`));
  const when = isPast ? ` as of ${now.toISOString().replace('.000', '')}` : '';
  return report(`${source === undefined ? 'Backups' : `Backups of ${source}`}${when}`, findings, {
    headline: stores.map(({ location }, at) => ({
      name: stores.length > 1 ? `Store ${at + 1}` : 'Store',
      value: location,
    })),
    tables: held.map((one) => catalogTable(one, stores, now)),
    outputs: { backups: catalogJson(held) },
    sources: held.map((one) => one.source),
  });
}

function nothingThere(source: string | undefined, isPast: boolean): Finding {
  const what = source === undefined ? 'The stores hold no backup' : `The stores hold no backup of ${source}`;
  return finding('backup-missing', 'fail', isPast ? `${what} of that moment.` : `${what}.`, {
    hint: 'Check `store` and `source`. On a bucket that keeps versions, `lifeboat list --deleted` shows what was taken away.',
  });
}

/** One row for each backup; stores by their number where there are several. */
export function catalogTable(listed: ListedSource, stores: readonly Pick<Store, 'location'>[], now: Date): Table {
  const { source, backups, isCut } = listed;
  const title = isCut
    ? `${source}: the newest ${backups.length}; \`--limit all\` lists every one`
    : `${source}: ${counted(backups.length, 'backup')}`;
  const several = stores.length > 1;
  return {
    title,
    columns: [
      { name: 'Backup' },
      { name: 'Age', numeric: true },
      { name: 'Size', numeric: true },
      { name: 'Scope' },
      { name: 'State' },
      { name: 'Pinned' },
      { name: 'A restore needs' },
      ...(several ? [{ name: 'Stores' }] : []),
    ],
    rows: backups.map((backup) => [
      backup.id,
      ageOf(backup.takenAt, now),
      formatBytes(Math.max(...backup.copies.map(({ bytes }) => bytes))),
      backup.scope ?? '?',
      stateOf(backup, stores, now),
      pinOf(backup),
      needsOf(backup),
      ...(several ? [backup.copies.map(({ store }) => numberOf(store, stores)).join(', ')] : []),
    ]),
  };
}

export function ageOf(moment: Date, now: Date): string {
  const ms = now.getTime() - moment.getTime();
  return ms < -60_000 ? `in ${formatDuration(-ms)}` : formatDuration(Math.max(0, ms));
}

function numberOf(store: Pick<Store, 'location'>, stores: readonly Pick<Store, 'location'>[]): string {
  return String(stores.findIndex(({ location }) => location === store.location) + 1);
}

/** `proven 3d ago`; where the copies differ, each with the number of its store. */
function stateOf({ copies }: ListedBackup, stores: readonly Pick<Store, 'location'>[], now: Date): string {
  const byState = Map.groupBy(copies, (copy) => stateOfCopy(copy, now));
  if (byState.size === 1) return [...byState.keys()].join('');
  const words = [...byState].map(([state, some]) => {
    return `${state} in ${some.map(({ store }) => numberOf(store, stores)).join('+')}`;
  });
  return words.join(', ');
}

export function stateOfCopy({ state, proof, drilledAt }: ListedCopy, now: Date): string {
  if (state !== 'complete') return state;
  if (proof === undefined) return 'not drilled';
  return drilledAt === undefined ? proof : `${proof} ${ageOf(drilledAt, now)} ago`;
}

function pinOf({ copies }: ListedBackup): string {
  const ends = copies.map(({ pinnedUntil }) => pinnedUntil).filter((until) => until !== undefined);
  if (ends.includes(null)) return 'for ever';
  const last = ends.map((until) => until?.toISOString().slice(0, 10) ?? '').toSorted();
  return last.length === 0 ? '' : `until ${last.at(-1)}`;
}

function needsOf({ needs, encrypted }: ListedBackup): string {
  if (needs === undefined) return encrypted ? 'age identity' : '';
  const server = needs.engine === 'postgresql' ? `PostgreSQL ${needs.major}` : `${needs.engine} ${needs.major}`;
  return [server, formatBytes(needs.databaseBytes), ...(encrypted ? ['age identity'] : [])].join(', ');
}

const LOOK: Readonly<Record<string, string>> = {
  unreadable: 'Somebody or something changed it. Look for a copy in another store, or `lifeboat undelete` it.',
  'manifest gone': 'Its manifest was taken away: `lifeboat list --deleted` shows what can be brought back.',
};

/** What a reader must not overlook; verify-freshness judges, this list only shows. */
export function catalogFindings({ source, backups }: ListedSource): Finding[] {
  return backups.flatMap(({ id, copies }) =>
    copies.flatMap(({ state, store }) => {
      const hint = LOOK[state];
      if (hint === undefined) return [];
      const rule = state === 'unreadable' ? 'manifest-unreadable' : 'backup-hidden';
      const message = `${source}/${id}: ${state === 'unreadable' ? 'its manifest cannot be read' : 'its manifest is gone'}.`;
      return [finding(rule, 'warn', message, { subject: store.location, source, hint })];
    }),
  );
}

/** The same for programs: one object for each backup. */
export function catalogJson(listed: readonly ListedSource[]): string {
  const rows = listed.flatMap(({ backups }) =>
    backups.map(({ copies, takenAt, needs, ...backup }) => ({
      ...backup,
      takenAt: takenAt.toISOString(),
      ...needs,
      copies: copies.map(({ store, ...copy }) => ({ store: store.location, ...copy })),
    })),
  );
  return JSON.stringify(rows);
}
