import { counted } from './counted.ts';
import type { StorePlan } from './prune-plan.ts';
import { type Finding, finding } from './report.ts';

/** A plan that removes fewer than this is never refused for its size. */
const FEW = 10;

export interface PruneLimits {
  readonly requireProven: boolean;
  /** As a fraction of the store's backups. */
  readonly maxDelete: number;
  /** Chooses the words only: nothing is removed in any case. */
  readonly dryRun?: boolean;
}

export interface JudgedPlan {
  readonly findings: readonly Finding[];
  /** Whether the backups of the plan may go. */
  readonly mayRemove: boolean;
  /** Whether leftovers may go: not where the plan itself is beyond belief. */
  readonly mayClean: boolean;
}

/** Judges a plan before anything is done. Removes nothing. */
export function judgePlan(store: StorePlan, limits: PruneLimits): JudgedPlan {
  const unproven = limits.requireProven && store.plan.newestProven === undefined && store.goes.length > 0;
  const total = store.plan.keep.size + store.plan.remove.size;
  const tooMany = store.goes.length >= FEW && store.goes.length > limits.maxDelete * total;
  const findings = [
    judgeEmpty(store, total),
    judgeProof(store, limits, unproven),
    judgeShare(store, limits, total, tooMany),
    ...judgeOddities(store),
  ].filter((one) => one !== undefined);
  return { findings, mayRemove: !unproven && !tooMany, mayClean: !tooMany };
}

function judgeEmpty({ location, source, plan, goes }: StorePlan, total: number): Finding {
  const subject = location;
  if (total === 0) {
    const hint = 'Check `source` and `store`: they must be those of the backup job.';
    return finding('prune-planned', 'warn', `${source}: there is no backup here.`, { subject, hint });
  }
  const numbers = { backups: total, keep: total - goes.length, remove: goes.length };
  const message = `${source}: of ${counted(total, 'backup')}, ${goes.length} may go and ${total - goes.length} stay${plan.remove.size > goes.length ? `, ${plan.remove.size - goes.length} of them locked` : ''}.`;
  return finding('prune-planned', 'pass', message, { subject, numbers });
}

function judgeProof(
  { location, source, plan, goes }: StorePlan,
  limits: PruneLimits,
  unproven: boolean,
): Finding | undefined {
  if (!limits.requireProven) return undefined;
  const subject = location;
  if (!unproven) {
    const proof =
      plan.newestProven === undefined
        ? 'nothing here is proven, and nothing would go'
        : `${plan.newestProven.id} is proven and stays`;
    return finding('prune-unproven', 'pass', `${source}: ${proof}.`, { subject });
  }
  return finding(
    'prune-unproven',
    'fail',
    limits.dryRun
      ? `${source}: nothing would be removed, since no backup here is proven; else ${goes.length} would go.`
      : `${source}: nothing was removed, since no backup here is proven; ${goes.length} would have gone.`,
    {
      subject,
      numbers: { wouldRemove: goes.length },
      hint: `Run a restore drill first: \`lifeboat restore-drill --source ${source} --store ${location}\`. A copy counts as proven only when its own bytes were restored or read back.`,
    },
  );
}

function judgeShare(
  { location, source, goes }: StorePlan,
  { maxDelete }: PruneLimits,
  total: number,
  tooMany: boolean,
): Finding {
  const percent = `${Math.round(maxDelete * 100)} %`;
  const subject = location;
  const numbers = { remove: goes.length, backups: total, limitShare: maxDelete };
  if (!tooMany) {
    const bound = goes.length < FEW ? `fewer than ${FEW} backups` : `no more than ${percent} of the backups`;
    return finding('prune-limit', 'pass', `${source}: the plan removes ${bound}.`, { subject, numbers });
  }
  const message = `${source}: the plan was refused, since it would remove ${goes.length} of ${counted(total, 'backup')}, more than ${percent}.`;
  const hint = 'Read the plan. If it is what you want, raise `max-delete` for one run.';
  return finding('prune-limit', 'fail', message, { subject, numbers, hint });
}

function judgeOddities({ location, source, plan, locked, unreadable, leftovers }: StorePlan): Finding[] {
  const subject = location;
  const names = (ids: readonly string[]) =>
    `${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ` and ${ids.length - 5} more` : ''}`;
  const strangers = plan.strangers.map(({ id }) => id);
  const beheaded = leftovers.beheaded.map(({ id }) => id);
  const found: Finding[] = [];
  for (const why of unreadable.values()) {
    const hint =
      'It is never removed by itself: restore its manifest from another store, or remove the folder by hand.';
    found.push(finding('manifest-unreadable', 'fail', `${source}: ${why}`, { subject, hint }));
  }
  if (strangers.length > 0) {
    const hint = 'Keep rules take only the usual scope of a source; give other backups a source name of their own.';
    const message = `${source}: the rules pass over ${counted(strangers.length, 'backup')} because of their scope: ${names(strangers)}.`;
    found.push(finding('backup-scope', 'warn', message, { subject, hint, numbers: { backups: strangers.length } }));
  }
  if (locked.size > 0) {
    const message = `${source}: ${counted(locked.size, 'backup')} ${locked.size === 1 ? 'stays' : 'stay'} here only because of a lock: ${names([...locked.keys()])}.`;
    found.push(finding('prune-locked', 'pass', message, { subject, numbers: { backups: locked.size } }));
  }
  if (beheaded.length > 0) {
    const hint = 'Find out who removed the manifests. What is left was not touched and may be all there is.';
    const message = `${source}: the manifest was removed by somebody else from ${names(beheaded)}.`;
    found.push(finding('backup-hidden', 'fail', message, { subject, hint, numbers: { backups: beheaded.length } }));
  }
  return found;
}
