import type { TableFact } from '../../core/facts.ts';
import { Failure } from '../../core/failure.ts';
import type { LoadRequest } from '../../core/ports.ts';
import { readTables } from './facts-tables.ts';
import { literal, type Session } from './session.ts';

export function expectedOf({ facts }: LoadRequest, name: string): TableFact | undefined {
  return facts?.tables.find((one) => one.name === name);
}

export function isSame(expected: TableFact, found: TableFact): boolean {
  const isComparable = expected.fingerprint !== undefined && found.fingerprint !== undefined;
  return expected.rows === found.rows && (!isComparable || expected.fingerprint === found.fingerprint);
}

/** By the names given, whatever the order. */
export async function countIn(
  session: Session,
  names: readonly string[],
  { facts }: LoadRequest,
): Promise<TableFact[]> {
  await session.execute(`SET lc_monetary = 'C'`);
  const oids = names.map((name) => `(${literal(name)}, ${literal(name)}::regclass::oid::int8)`);
  const rows = await session.query<{ name: string; oid: number }>(
    `SELECT v.name, v.oid FROM (VALUES ${oids.join(', ')}) AS v (name, oid)`,
  );
  const tables = rows.map(({ name, oid }) => ({ oid, name, schema: '', relname: '', condition: null }));
  return readTables(session, { level: facts?.level === 'fingerprints' ? 'fingerprints' : 'counts', tables });
}

/** What is written is written: one that cannot be counted is said, and not taken for a failure to write. */
export async function countArrived(
  session: Session,
  names: readonly string[],
  request: LoadRequest,
): Promise<TableFact[]> {
  return countIn(session, names, request).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    const message = `The tables were written into the target, but could not be counted there: ${error.message}`;
    throw new Failure(error.code, message, { cause: error, ...(error.hint !== undefined && { hint: error.hint }) });
  });
}
