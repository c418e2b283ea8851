import type { Readable } from 'node:stream';
import { boundedText } from '../../core/bounded-text.ts';
import type { Facts } from '../../core/facts.ts';
import { Failure } from '../../core/failure.ts';
import { type Finding, finding } from '../../core/report.ts';
import { zstd } from '../../sys/zstd.ts';
import { planGlobals, rolesIn } from './globals.ts';
import { joinRole, missingRoles, refuseWeakRole } from './scratch-role.ts';
import { identifier, literal, type Session } from './session.ts';

/** A hundred thousand roles. */
const MOST_GLOBALS_BYTES = 32 << 20;

/** Reads `globals.sql` as it was stored. */
export async function readGlobalsText(stored: Readable, env: NodeJS.ProcessEnv): Promise<string> {
  return boundedText(zstd(env).decompress(stored), MOST_GLOBALS_BYTES, 'The artifact with the roles');
}

/**
 * Runs a globals file in a server of our own, statement by statement: one that fails is named, and
 * the others still count.
 */
export async function restoreRoles(session: Session, globals: string, bootstrapRole: string): Promise<Finding> {
  const plan = planGlobals(globals, bootstrapRole);
  const failed: string[] = [];
  for (const { sql } of plan.run) {
    await runVerbatim(session, sql).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      failed.push(`${hidePassword(sql)}: ${error.message.split('\n')[0]}`);
    });
  }
  const roles = plan.run.filter(({ creates }) => creates !== undefined).length;
  if (failed.length > 0) {
    const message = `${failed.length} of ${plan.run.length} statements about roles failed. ${failed.slice(0, 5).join('; ')}`;
    return finding('roles-restored', 'fail', message, { numbers: { failed: failed.length } });
  }
  const extra = plan.leftOut.length > 0 ? `; ${plan.leftOut.length} statements left out (${plan.leftOut[0]?.why})` : '';
  return finding('roles-restored', 'pass', `${roles} roles with their memberships were restored${extra}.`, {
    numbers: { roles },
  });
}

/**
 * Sent as hex, so that psql sees no byte of it: a name with a line end and a backslash in it would be
 * a command to psql, and psql has our rights.
 */
export async function runVerbatim(session: Session, sql: string): Promise<void> {
  const hex = Buffer.from(sql, 'utf8').toString('hex');
  await session.execute(`DO $run$BEGIN EXECUTE convert_from(decode('${hex}', 'hex'), 'UTF8'); END$run$`);
}

/** A backup that could not dump its globals still has owners; without them nothing could be restored. */
export function ownersAsSql(facts: Facts | undefined): string {
  const names = facts?.roles.map(({ name }) => name).filter((name) => !name.startsWith('pg_')) ?? [];
  return names.map((name) => `CREATE ROLE ${identifier(name)};\n`).join('');
}

export function hidePassword(sql: string): string {
  return sql.replace(/PASSWORD '(?:[^']|'')*'/, "PASSWORD '…'").slice(0, 200);
}

/** Names of roles that the backup's objects may belong to or be granted to. */
export function roleNames(globals: string | undefined, facts: Facts | undefined): string[] {
  const named = globals === undefined ? [] : rolesIn(globals);
  return [...new Set([...named, ...(facts?.roles.map(({ name }) => name) ?? [])])].filter(
    (name) => !name.startsWith('pg_'),
  );
}

/**
 * On a server that is not ours: creates the roles that are missing, without login, and changes none.
 *
 * @param mark the comment that makes them ours, to be removed afterwards
 * @returns how many were created
 */
export async function createMissingRoles(session: Session, names: readonly string[], mark: string): Promise<number> {
  const missing = await missingRoles(session, names);
  await refuseWeakRole(session, missing);
  for (const name of missing) {
    await createMarkedRole(session, name, mark);
    await joinRole(session, name);
  }
  return missing.length;
}

/** In one statement: killed in between, it would leave a role that nobody knows as ours. */
export async function createMarkedRole(session: Session, name: string, mark: string): Promise<void> {
  const role = identifier(name);
  await runVerbatim(session, `CREATE ROLE ${role} NOLOGIN; COMMENT ON ROLE ${role} IS ${literal(mark)}`);
}
