import { counted } from './counted.ts';
import { bytesOf, fetchCopy, judgeFetch } from './drill-fetch.ts';
import { type Finding, finding } from './report.ts';
import type { RestoreJob, RestoreOutcome, Restoring } from './restore.ts';
import { awaitHealth, runCommands } from './restore-commands.ts';
import { compareRestored, judgeCriticalTables, nothingToCompare } from './restore-compare.ts';
import { asOfRestore } from './restore-errors.ts';
import type { StepName } from './restore-plan.ts';
import { confirmSafetyBackup } from './restore-safety.ts';
import { formatBytes } from './size.ts';

type Step = (restoring: Restoring) => Promise<readonly Finding[]>;

/** What each step does. A `fail` among its findings, or an error, ends the restore there. */
export const restoreSteps: Readonly<Record<StepName, Step>> = {
  'remove leftovers': removeLeftovers,
  'read the backup': readBackup,
  'run before': runBefore,
  'back up the target': backUpTarget,
  'drop the target': dropTarget,
  restore: restoreBackup,
  compare,
  reindex: async ({ job: { target, plan } }) => {
    await target.reindex(plan.names.restored);
    return [finding('restore-maintenance', 'pass', 'Its indexes were built anew.')];
  },
  analyze: async ({ job: { target, plan } }) => {
    await target.analyze(plan.names.restored);
    return [finding('restore-maintenance', 'pass', 'Its statistics were made (ANALYZE).')];
  },
  'count critical tables': countCriticalTables,
  open: openBeside,
  rename: renameIntoPlace,
  swap,
  'run after': runAfter,
  'check health': checkHealth,
  'drop the old database': dropOld,
};

async function removeLeftovers({ job: { target } }: Restoring): Promise<Finding[]> {
  const dropped = await target.dropLeft();
  const message = `${counted(dropped.length, 'database')} of a restore that was killed ${dropped.length === 1 ? 'was' : 'were'} dropped: ${dropped.join(', ')}.`;
  return [finding('restore-leftovers', 'pass', message)];
}

/** A backup that cannot be read must not be found out once the target is gone. */
async function readBackup({ job, world }: Restoring): Promise<Finding[]> {
  const found = await fetchCopy(job, world);
  const isPass = ({ status }: Finding) => status === 'pass' || status === 'warn';
  return found.map((one) => (isPass(one) ? one : { ...asOfRestore(one), status: 'fail' }));
}

async function runBefore({ job: { asked }, world, outcome: { situation } }: Restoring): Promise<Finding[]> {
  situation.application = 'unknown';
  const found = await runCommands('before', asked.before ?? '', world);
  situation.application = 'stopped';
  return [found];
}

async function runAfter({ job: { asked }, world, outcome: { situation } }: Restoring): Promise<Finding[]> {
  situation.application = 'unknown';
  const found = await runCommands('after', asked.after ?? '', world);
  situation.application = 'started';
  return [found];
}

async function checkHealth({ job: { asked }, world }: Restoring): Promise<Finding[]> {
  return asked.health === undefined ? [] : [await awaitHealth(asked.health.url, asked.health.timeoutMs, world)];
}

async function backUpTarget({ job, world, outcome: { situation } }: Restoring): Promise<readonly Finding[]> {
  const { asked, plan, known } = job;
  const source = plan.safetySource ?? '';
  const report = await job.backUp(source, `before restore ${asked.id} of ${known.backup.id} into ${plan.target}`);
  const { id, findings } = await confirmSafetyBackup(source, report, job.stores, world);
  situation.safety = { source, id };
  return findings;
}

async function dropTarget(restoring: Restoring): Promise<Finding[]> {
  const { job, outcome } = restoring;
  await countBefore(restoring);
  await job.target.drop(job.plan.target);
  outcome.situation.target = 'dropped';
  return [];
}

async function restoreBackup({ job, outcome }: Restoring): Promise<Finding[]> {
  const { target, plan, known, artifacts, asked } = job;
  const { restored } = plan.names;
  const built = await target.build(restored, artifacts.open);
  outcome.situation.restored = { name: restored, state: 'not checked' };
  const fetched = await judgeFetch(job, artifacts);
  const size = formatBytes(bytesOf(known.manifest));
  const done = finding('restore-completed', 'pass', `${size} were restored without an error.`);
  return [...built, done, ...fetched, ...(await tellRolesWithoutPassword(job, outcome, asked.createRoles))];
}

async function tellRolesWithoutPassword(
  { target }: RestoreJob,
  { tables }: RestoreOutcome,
  created: boolean,
): Promise<Finding[]> {
  const roles = await target.rolesWithoutPassword();
  if (roles.length === 0) return [];
  const columns = [{ name: 'Role' }, { name: 'Command' }];
  tables.push({
    title: 'Roles without a password',
    columns,
    rows: roles.map(({ role, command }) => [role, command]),
    folded: true,
  });
  const message = `${counted(roles.length, 'role')} of the backup can log in and ${roles.length === 1 ? 'has' : 'have'} no password here: ${roles.map(({ role }) => role).join(', ')}.`;
  const hint = 'Set them before the application connects; the table below has a command for each.';
  return [finding('roles-without-password', created ? 'warn' : 'pass', message, created ? { hint } : {})];
}

async function compare({ job, outcome }: Restoring): Promise<readonly Finding[]> {
  const { expected, known, asked, plan } = job;
  const { restored } = plan.names;
  if (expected === undefined) {
    outcome.situation.restored = { name: restored, state: 'sound' };
    return [nothingToCompare()];
  }
  const found = await job.target.readFacts(restored, expected.level);
  const snapshot = { manifest: known.manifest, expected, major: known.state.server.major };
  const { findings, tables } = compareRestored(snapshot, found, asked);
  outcome.tables.push(...tables);
  const isSound = findings.every(({ status }) => status !== 'fail');
  outcome.situation.restored = { name: restored, state: isSound ? 'sound' : 'differs' };
  return findings;
}

async function countCriticalTables(restoring: Restoring): Promise<readonly Finding[]> {
  const { job, outcome } = restoring;
  if (outcome.situation.target === 'as it was') await countBefore(restoring);
  const restored = await job.target.countRows(job.plan.names.restored, job.asked.criticalTables);
  const rows = restored.map(({ table, rows }) => ({
    table,
    before: outcome.before.get(table) ?? null,
    restored: rows,
  }));
  const { findings, tables } = judgeCriticalTables(rows);
  outcome.tables.push(...tables);
  return findings;
}

/** For information: what is broken in the target must not keep anybody from restoring it. */
async function countBefore({ job: { target, plan, asked }, outcome }: Restoring): Promise<void> {
  const counted = await target.countRows(plan.target, asked.criticalTables).catch(() => []);
  for (const { table, rows } of counted) outcome.before.set(table, rows);
}

async function openBeside({ job: { target, plan } }: Restoring): Promise<Finding[]> {
  await target.finish(plan.names.restored);
  return [
    finding(
      'restore-placed',
      'pass',
      `${plan.names.restored} is open beside ${plan.target}, which was left as it was.`,
    ),
  ];
}

async function renameIntoPlace(restoring: Restoring): Promise<Finding[]> {
  const { job, outcome } = restoring;
  await job.target.rename(job.plan.names.restored);
  Object.assign(outcome.situation, { target: 'restored', restored: undefined });
  return [finding('restore-placed', 'pass', `${job.plan.target} holds the backup.`)];
}

async function swap(restoring: Restoring): Promise<Finding[]> {
  const { job, outcome } = restoring;
  const { restored, old } = job.plan.names;
  const { ended } = await job.target.swap(restored, old);
  Object.assign(outcome.situation, { target: 'restored', restored: undefined, old });
  const message = `${job.plan.target} holds the backup; ${old} holds what was there before. ${counted(ended, 'connection')} ${ended === 1 ? 'was' : 'were'} ended.`;
  return [finding('restore-placed', 'pass', message, { numbers: { ended } })];
}

async function dropOld({ job: { target, plan }, outcome: { situation } }: Restoring): Promise<Finding[]> {
  await target.drop(plan.names.old);
  situation.old = undefined;
  return [finding('restore-placed', 'pass', `${plan.names.old}, what was in ${plan.target} before, was dropped.`)];
}
