import { z } from 'zod';
import { afterSecond, inputs as backup, checkPin, compressionLevel, holderOf, parseLabels } from '../actions/backup.ts';
import type { Adopted, DumpFile } from '../core/adopt-port.ts';
import { adoptedLabels, adoptedSnapshot, findAdopted, judgeAdoption, reportKnown } from '../core/adopted-backup.ts';
import { type AdoptedMoment, momentOfAdopted } from '../core/adopted-moment.ts';
import { describeBackup } from '../core/backup-report.ts';
import { mergeCatalogs } from '../core/catalog.ts';
import { Failure } from '../core/failure.ts';
import { makeId } from '../core/keys.ts';
import { type OpenedStores, openBackupStores } from '../core/open-backup-stores.ts';
import type { Engine, World } from '../core/ports.ts';
import type { Report } from '../core/report.ts';
import { sizeHistory } from '../core/size-judgement.ts';
import { writeBackup } from '../core/write-backup.ts';
import { common } from '../github/inputs/every-action.ts';
import { parsed, parseInputs, type RawInputs, shared, text } from '../github/inputs.ts';

export const description =
  'Takes a dump that lies in a file (`pg_dump -Fc` or plain SQL, gzipped or not) into the stores as a backup: restores it in a scratch server, reads its facts there and dumps it anew.';

const { compression, facts, labels, pin, 'pin-for': pinFor, 'age-recipients': recipients } = backup.shape;

export const positional = ['file'];

export const inputs = z.strictObject({
  file: text('The dump: `.dump`, `.dump.gz`, `.sql` or `.sql.gz`.'),
  source: shared.source,
  store: common.store,
  'taken-at': parsed(
    parseMoment,
    'When the dump was taken, e.g. `2025-01-15T14:30:00Z`; from the header of the archive, the name of the file, or its time of change when empty.',
    {},
  ).optional(),
  facts,
  compression,
  'age-recipients': recipients,
  labels,
  pin,
  'pin-for': pinFor,
  jobs: shared.jobs,
  'bin-dir': shared['bin-dir'].optional(),
  'scratch-dir': shared['scratch-dir'].optional(),
  timeout: common.timeout,
  'stall-timeout': common['stall-timeout'],
});

type Given = z.output<typeof inputs>;

function parseMoment(value: string): Date {
  const isMoment = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(value);
  const at = new Date(value.replace(' ', 'T'));
  if (isMoment && !Number.isNaN(at.getTime())) return at;
  throw new Failure('invalid-input', `"${value}" is no moment.`, {
    hint: 'Give date, time and zone: `2025-01-15T14:30:00Z` or `2025-01-15T14:30+02:00`.',
  });
}

/** Inspects the file, restores it in a scratch server, and writes what is there as any backup is written. */
export async function adopt(raw: RawInputs, world: World): Promise<Report> {
  const given = parseInputs(inputs, raw);
  checkPin(given);
  world.encryption.checkRecipients(given['age-recipients']);
  const engine = await world.openEngine('postgresql');
  const opened = await openBackupStores(given, 'full', world);
  try {
    const file = await engine.inspectDump(given.file, { binDir: given['bin-dir'], signal: world.signal });
    const moment = momentOfAdopted(file, given['taken-at']);
    refuseFuture(moment, world.now());
    const known = await findAdopted(opened.stores, given.source, { file, at: moment.at, signal: world.signal });
    if (known !== undefined) return reportKnown(given.source, file, known);
    return await restoreAndWrite(engine, given, { file, moment, opened }, world);
  } finally {
    await Promise.all(opened.all.map((store) => store.close()));
  }
}

function refuseFuture({ at, known }: AdoptedMoment, now: Date): void {
  if (at.getTime() <= now.getTime()) return;
  throw new Failure('invalid-input', `The dump would be of ${at.toISOString()}, which is in the future (${known}).`, {
    hint: 'Say in `taken-at` when it was taken.',
  });
}

interface Inspected {
  readonly file: DumpFile;
  readonly moment: AdoptedMoment;
  readonly opened: OpenedStores;
}

async function restoreAndWrite(engine: Engine, given: Given, inspected: Inspected, world: World): Promise<Report> {
  const { file, opened, moment } = inspected;
  const { binDir, jobs } = { binDir: given['bin-dir'], jobs: given.jobs };
  world.log.info(`Restoring ${file.name} in a scratch server, to read its facts and dump it anew.`);
  const request = {
    ...{ file, source: given.source, facts: given.facts, holder: holderOf(world), signal: world.signal },
    scratchDir: given['scratch-dir'] ?? world.scratchDir,
    scratchId: makeId(world.now(), world.randomHex(3)),
    stallMs: given['stall-timeout'],
    ...(binDir !== undefined && { binDir }),
    ...(jobs !== undefined && { jobs }),
  };
  return engine.withAdopted(request, async (adopted) => {
    const written = await write(adopted, given, inspected, world);
    const report = describeBackup(given.source, written, opened, {
      ...{ trends: [], databaseBytes: adopted.snapshot.databaseBytes, now: world.now() },
      notes: [
        { name: 'Adopted from', value: file.path },
        { name: 'Taken at', value: `${written.manifest.takenAt} (${moment.known})` },
      ],
      history: historyBefore(opened, moment.at),
    });
    return { ...report, title: `Adoption of ${file.name} as ${given.source}` };
  });
}

function historyBefore({ catalogs }: OpenedStores, takenAt: Date): readonly number[] {
  return sizeHistory(mergeCatalogs(catalogs), afterSecond(takenAt));
}

async function write(adopted: Adopted, given: Given, { file, moment, opened }: Inspected, world: World) {
  const until = given['pin-for'] === undefined ? null : new Date(world.now().getTime() + given['pin-for']);
  const plan = {
    source: given.source,
    stores: opened.stores,
    scope: 'full',
    compressionLevel: compressionLevel(given.compression),
    jobs: given.jobs ?? 1,
    recipients: given['age-recipients'],
    content: {},
    labels: { ...parseLabels(given.labels), ...adoptedLabels(file) },
    pin: given.pin === undefined ? undefined : { reason: given.pin, until },
    stallMs: given['stall-timeout'],
    judge: () => judgeAdoption(file, moment, adopted),
  } as const;
  return writeBackup(adoptedSnapshot(adopted.snapshot, file, moment), plan, world);
}
