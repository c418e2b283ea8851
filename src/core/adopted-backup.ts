import type { Adopted, DumpFile } from './adopt-port.ts';
import type { AdoptedMoment } from './adopted-moment.ts';
import { isComplete, readCatalog } from './catalog.ts';
import { emptyIfNew } from './copy-guard.ts';
import { wholeSeconds } from './make-manifest.ts';
import { isUnreadable, readManifestOf } from './manifest-reading.ts';
import type { Snapshot, Store } from './ports.ts';
import { type Finding, finding, type Report, report } from './report.ts';

const SHA256 = 'adopted-sha256';
/** What a label may hold. */
const LONGEST = 500;

/** What is kept of the file in the manifest. */
export function adoptedLabels(file: DumpFile): Record<string, string> {
  return {
    'adopted-file': file.name.slice(0, LONGEST),
    'adopted-modified': wholeSeconds(file.modifiedAt),
    'adopted-bytes': String(file.bytes),
    [SHA256]: file.sha256,
    'adopted-format': `${file.format}${file.isGzipped ? ' in gzip' : ''}`,
    'adopted-from': originOf(file),
  };
}

function originOf({ server, client }: DumpFile): string {
  return `PostgreSQL ${server ?? '(version not told)'}, pg_dump ${client ?? '(version not told)'}`.slice(0, LONGEST);
}

/** Dated as the file is, and naming what no such file holds. */
export function adoptedSnapshot(snapshot: Snapshot, file: DumpFile, { at }: AdoptedMoment): Snapshot {
  const roles = `passwords, attributes and memberships of the roles (${file.roles.length} are named)`;
  const database = 'locale, owner, settings and grants of the database itself';
  return {
    ...snapshot,
    takenAt: new Date(Math.floor(at.getTime() / 1000) * 1000),
    leftOut: [
      ...snapshot.leftOut,
      { what: roles, why: 'a file of pg_dump holds no roles' },
      ...(file.locale === undefined ? [{ what: database, why: 'a plain dump holds them only with `--create`' }] : []),
    ],
  };
}

/** What is true of every adopted backup, and what of this one. */
export function judgeAdoption(file: DumpFile, moment: AdoptedMoment, { snapshot, notIsolated }: Adopted): Finding[] {
  const message = `Adopted from ${file.name} (${originOf(file)}): restored in a scratch server, and dumped anew by ${snapshot.client}. Its facts are what the file held; whether that was all of the source, nobody can tell.`;
  const dated = `It is dated ${wholeSeconds(moment.at)}: ${moment.known}.`;
  const isolation =
    notIsolated.length === 0
      ? []
      : [
          finding(
            'scratch-isolation',
            'warn',
            `Code in ${file.name} ran less isolated than it should. ${notIsolated.join(' ')}`,
          ),
        ];
  return [
    finding('backup-adopted', 'pass', `${message} ${dated}`, {
      numbers: { fileBytes: file.bytes },
      hint: 'Drill it: only then it counts as proven.',
    }),
    ...isolation,
    ...(snapshot.tables > 0 ? [] : [finding('database-empty', 'warn', `${file.name} holds no table with rows.`)]),
  ];
}

/** The id under which this very file is in one of the stores already, and which of them lack it. */
export interface KnownAdoption {
  readonly id: string;
  readonly holders: readonly Store[];
  readonly lacking: readonly Store[];
}

/** Looks among the backups of that second for one that was adopted from the same bytes. */
export async function findAdopted(
  stores: readonly Store[],
  source: string,
  { file, at, signal }: { readonly file: DumpFile; readonly at: Date; readonly signal: AbortSignal },
): Promise<KnownAdoption | undefined> {
  const since = new Date(Math.floor(at.getTime() / 1000) * 1000);
  const until = new Date(since.getTime() + 1000);
  const holders = new Map<Store, string>();
  for (const store of stores) {
    const found = await readCatalog(store, source, { since, until, signal }).catch(emptyIfNew(store));
    for (const { id } of found.filter(isComplete)) {
      const read = await readManifestOf(store, source, id, signal).catch(noneIfUnreadable);
      if (read?.manifest.labels?.[SHA256] === file.sha256) holders.set(store, id);
    }
  }
  const [id] = holders.values();
  if (id === undefined) return undefined;
  const isHolder = (store: Store) => holders.get(store) === id;
  return { id, holders: stores.filter(isHolder), lacking: stores.filter((store) => !isHolder(store)) };
}

function noneIfUnreadable(error: unknown): undefined {
  if (!isUnreadable(error)) throw error;
}

export function reportKnown(source: string, file: DumpFile, { id, holders, lacking }: KnownAdoption): Report {
  const [first] = holders;
  const there = holders.map(({ location: subject }) =>
    finding('backup-adopted', 'pass', `${file.name} is ${id} of ${source} already; nothing was written.`, { subject }),
  );
  const missing = lacking.map(({ location: subject }) =>
    finding('store-copy', 'fail', `${subject} holds no copy of ${id}.`, {
      subject,
      hint: `lifeboat copy ${id} --source ${source} --from ${first?.location ?? ''} --to ${subject}`,
    }),
  );
  return report(`Adoption of ${file.name} as ${source}`, [...there, ...missing], { sources: [source] });
}
