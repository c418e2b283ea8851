import { ageOf } from './catalog-table.ts';
import { mapInLanes } from './lanes.ts';
import { findLost, type LostBackup, recoverable } from './lost-backups.ts';
import { notReadable } from './open-stores.ts';
import type { Store, World } from './ports.ts';
import { type Finding, finding, type Report, report, type Table } from './report.ts';

const LANES = 16;

export interface ListedLoss extends LostBackup {
  readonly location: string;
  /** Artifacts whose size is that of the manifest in an older version; undefined: no manifest is left. */
  readonly left: { readonly found: number; readonly of: number } | undefined;
}

export interface DeletedList {
  /** Newest first. */
  readonly losses: readonly ListedLoss[];
  /** How many more there are. */
  readonly more: number;
  readonly findings: readonly Finding[];
}

/** What was deleted or written over in these stores; reads one manifest for each backup it lists. */
export async function listDeleted(
  stores: readonly Store[],
  sources: readonly string[],
  limit: number,
  { signal }: Pick<World, 'signal'>,
): Promise<DeletedList> {
  const losses: ListedLoss[] = [];
  const findings: Finding[] = [];
  let more = 0;
  for (const store of stores) {
    for (const source of sources) {
      try {
        const lost = (await findLost(store, source, signal)).toReversed();
        const shown = lost.slice(0, Math.min(limit, lost.length));
        more += lost.length - shown.length;
        const read = await mapInLanes(shown, LANES, async (one) => {
          return { ...one, location: store.location, left: await recoverable(store, one, signal) };
        });
        losses.push(...read);
      } catch (error) {
        findings.push(notReadable(store.location, error, `${source} in this store`));
      }
    }
    if (findings.length === 0 && !losses.some(({ location }) => location === store.location))
      findings.push(
        finding('backup-hidden', 'pass', 'Nothing was deleted or written over.', { subject: store.location }),
      );
  }
  return { losses, more, findings };
}

export function deletedReport({ losses, more, findings }: DeletedList, around: readonly Finding[], now: Date): Report {
  const lost = losses.map((loss) =>
    finding('backup-hidden', 'warn', `${loss.source}/${loss.id}: ${describeHarm(loss)}.`, {
      subject: loss.location,
      source: loss.source,
      hint: hintFor(loss),
    }),
  );
  const title = more === 0 ? 'Deleted or written over' : `The newest ones; ${more} more with \`--limit all\``;
  return report('Backups that were deleted or written over', [...around, ...findings, ...lost], {
    tables: losses.length === 0 ? [] : [lossTable(losses, title, now)],
    outputs: { backups: JSON.stringify(losses.map(({ first: _, ...loss }) => loss)) },
    sources: [...new Set(losses.map(({ source }) => source))],
  });
}

/** Nobody can tell from a bucket who it was: its access log may. */
function describeHarm({ deleted, overwritten, at }: LostBackup): string {
  const did = [
    ...(deleted.length > 0 ? [`${deleted.join(', ')} deleted`] : []),
    ...(overwritten.length > 0 ? [`${overwritten.join(', ')} written over`] : []),
  ];
  return `${did.join('; ')}, first at ${at.toISOString()}`;
}

function hintFor({ id, source, left }: ListedLoss): string {
  if (left === undefined) return 'No version of its manifest can be read: look for it in another store.';
  if (left.found < left.of) return 'Not all of it is left here: look for a copy in another store.';
  return `\`lifeboat undelete ${id} --source ${source}\` brings it back.`;
}

function lossTable(losses: readonly ListedLoss[], title: string, now: Date): Table {
  const several = new Set(losses.map(({ location }) => location)).size > 1;
  return {
    title,
    columns: [
      { name: 'Source' },
      { name: 'Backup' },
      { name: 'Lost', numeric: true },
      { name: 'Deleted', numeric: true },
      { name: 'Written over', numeric: true },
      { name: 'Left of it' },
      ...(several ? [{ name: 'Store' }] : []),
    ],
    rows: losses.map(({ source, id, at, deleted, overwritten, left, location }) => [
      source,
      id,
      `${ageOf(at, now)} ago`,
      String(deleted.length),
      String(overwritten.length),
      left === undefined ? 'no manifest' : `${left.found} of ${left.of} artifacts`,
      ...(several ? [location] : []),
    ]),
  };
}
