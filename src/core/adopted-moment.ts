import type { DumpFile } from './adopt-port.ts';

/** When an adopted dump was taken, and how that is known. */
export interface AdoptedMoment {
  readonly at: Date;
  readonly known: string;
}

/** `shop_20250115_143000.dump`, `backup-2025-01-15T14:30:00Z.sql.gz`, `full_2025-09-12.sql.gz`, `wallets_2025-09-12_1405.sql.gz`. */
const IN_NAME = /(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)(?:[T_.-]?(\d\d)[:.-]?(\d\d)(?:[:.-]?(\d\d))?)?(?!\d)/;

/**
 * The moment that data loss is counted from. What was given wins; then what the dump itself says, its name, and last
 * when the file was changed, which a copy without `-p` makes younger. Clocks without a zone are read as UTC.
 */
export function momentOfAdopted(
  file: Pick<DumpFile, 'name' | 'createdAt' | 'modifiedAt'>,
  given: Date | undefined,
): AdoptedMoment {
  if (given !== undefined) return { at: given, known: '`taken-at` says so' };
  if (file.createdAt !== undefined) return { at: file.createdAt, known: 'the header of the archive, read as UTC' };
  const named = momentInName(file.name);
  if (named?.hasTime) return { at: named.at, known: 'the name of the file, read as UTC' };
  if (named === undefined) return { at: file.modifiedAt, known: 'when the file was last changed' };
  const isSameDay = file.modifiedAt.toISOString().slice(0, 10) === named.at.toISOString().slice(0, 10);
  // Of a day alone the beginning: rather too old than too young.
  return isSameDay
    ? { at: file.modifiedAt, known: 'when the file was last changed, on the day in its name' }
    : { at: named.at, known: 'the beginning of the day in the name of the file, as UTC' };
}

function momentInName(name: string): { at: Date; hasTime: boolean } | undefined {
  const [, year, month, day, hour, minute, second] = IN_NAME.exec(name) ?? [];
  if (year === undefined) return undefined;
  const iso = `${year}-${month}-${day}T${hour ?? '00'}:${minute ?? '00'}:${second ?? '00'}.000Z`;
  const at = new Date(iso);
  const isReal = !Number.isNaN(at.getTime()) && at.toISOString() === iso;
  return isReal ? { at, hasTime: hour !== undefined } : undefined;
}
