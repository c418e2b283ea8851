import { hasWrongSize } from './backup-choice.ts';
import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';
import { type Finding, finding } from './report.ts';
import type { Question } from './restore-guards.ts';
import { listed } from './restore-names.ts';

/** Whether a drill restored it. */
export function judgeProof({ asked, known: { proof, backup, now } }: Question): Finding[] {
  if (proof === undefined)
    return [
      finding('drill-missing', 'warn', `${backup.id} was never restored in a drill: nobody knows whether it can be.`, {
        hint: `Where there is time: \`lifeboat restore-drill --source ${backup.source} --backup ${backup.id}\`, or take a backup that is proven.`,
      }),
    ];
  const ago = formatDuration(now.getTime() - proof.at.getTime());
  if (proof.proof === 'proven') return [finding('drill-proof', 'pass', `A drill proved ${backup.id} ${ago} ago.`)];
  const message = `The last conclusive drill, ${ago} ago, disproved ${backup.id}.`;
  if (asked.allowUnproven)
    return [finding('drill-proof', 'warn', `${message} \`allow-unproven\` lets it be restored.`)];
  return [
    finding('drill-proof', 'fail', message, {
      hint: 'Restore another backup. When there is no better one, `allow-unproven: true` restores this one as far as it goes.',
    }),
  ];
}

/** What was said of it when it was made. */
export function judgeMade({ known: { manifest } }: Question): Finding[] {
  if (!hasWrongSize(manifest)) return [];
  return [
    finding('backup-findings', 'warn', `The size of ${manifest.id} was judged wrong when it was made.`, {
      hint: `Compare what it holds with an older one: ${counted(manifest.totals.tables, 'table')}, ${manifest.totals.rows ?? 'unknown'} rows.`,
    }),
  ];
}

/** A table that somebody calls critical and that the backup does not hold: the wrong backup, or a slip. */
export function judgeTables({ asked, known: { tables, manifest } }: Question): Finding[] {
  if (tables === undefined || asked.criticalTables.length === 0) return [];
  const bare = (name: string) => name.replaceAll('"', '');
  const held = new Set(tables.map(bare));
  const absent = asked.criticalTables.filter((name) => !held.has(bare(name)));
  if (absent.length === 0) return [finding('critical-tables', 'pass', 'The backup holds every critical table.')];
  return [
    finding('critical-tables', 'fail', `${manifest.id} does not hold the critical tables ${listed(absent)}.`, {
      hint: 'Check their names in `critical-tables` (`schema.table`). If they are right, this is the wrong backup.',
    }),
  ];
}

/** How much would be lost: for the record, no limit is set here. */
export function judgeLoss({ known: { manifest, state, now } }: Question): Finding[] {
  const takenAt = Date.parse(manifest.takenAt);
  const dataLossSeconds = Math.round((now.getTime() - takenAt) / 1000);
  const age = `The backup is ${formatDuration(Math.max(0, now.getTime() - takenAt))} old`;
  const write = state.database?.newestWrite?.at.getTime();
  const since =
    write === undefined
      ? 'what was written since is not in it'
      : write > takenAt
        ? `the target was last written ${formatDuration(write - takenAt)} after it, and that is not in it`
        : 'the target was not written since';
  return [finding('rpo', 'pass', `${age}; ${since}.`, { numbers: { dataLossSeconds } })];
}
