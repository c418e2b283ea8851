import { Failure } from '../../core/failure.ts';
import { advisoryKey, describeHolder, holderOf } from './source-lock.ts';
import type { Lent } from './target-lent.ts';

/**
 * Takes the lock of the target for as long as the control session lives: an advisory lock in the maintenance
 * database, which ends with its holder, however that dies.
 *
 * @throws {Failure} `guard-refused`, saying who holds it
 */
export async function lockTarget(lent: Lent): Promise<void> {
  if (lent.isLocked) return;
  const { session, name } = lent;
  const key = advisoryKey(`lifeboat restore ${name}`);
  const { taken } = await session.one<{ taken: boolean }>(`SELECT pg_try_advisory_lock(${key}) AS taken`);
  lent.isLocked = taken;
  if (taken) return;
  const who = describeHolder(await holderOf(session, key));
  throw new Failure('guard-refused', `The database ${name} is being restored by ${who}.`, {
    hint: 'Let that restore come to its end, or end it, and restore again.',
  });
}
