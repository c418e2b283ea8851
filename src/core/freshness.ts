import { type CatalogBackup, isComplete, isInFuture } from './catalog.ts';
import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';
import { judgeDrills } from './freshness-drills.ts';
import { relevant, type SourceSurvey } from './freshness-survey.ts';
import type { Finding } from './report.ts';
import { finding } from './report.ts';
import { isSafetySource } from './restore-names.ts';
import type { RuleId } from './rules.ts';
import { formatBytes } from './size.ts';
import { judgeSize, sizeHistory } from './size-judgement.ts';

export interface FreshnessLimits {
  readonly maxAgeMs: number;
  readonly maxDrillAgeMs?: number | undefined;
  readonly minBytes?: number | undefined;
  readonly maxDeviation: number;
  readonly minBackups?: number | undefined;
}

/** Limits that no size misses. */
const NO_USUAL_SIZE = { minBytes: undefined, maxDeviation: Number.POSITIVE_INFINITY };

/** Names shown of a list; the number says how many there are. */
const MOST_NAMES = 5;

/** Writes findings about one source in one store: the name in front, the store as subject. */
export type Say = (
  rule: RuleId,
  status: Finding['status'],
  message: string,
  extra?: Partial<Pick<Finding, 'numbers' | 'hint'>>,
) => Finding;

/** Judges one source in one store. Everything that was looked at is a finding, the good news too. */
export function judgeFreshness(survey: SourceSurvey, limits: FreshnessLimits, now: Date): Finding[] {
  const say: Say = (rule, status, message, extra = {}) =>
    finding(rule, status, `${survey.source}: ${message}`, { ...extra, subject: survey.location });
  const complete = survey.backups.filter(isComplete);
  const around = [...judgeHidden(survey, say), ...judgeLeftovers(survey, say)];
  if (complete.length === 0) return [missing(survey, say), ...around];
  // Taken before restores, whenever somebody restores: no schedule, no usual size, and nobody drills them.
  const isOnSchedule = !isSafetySource(survey.source);
  return [
    ...(isOnSchedule ? judgeAge(survey, limits, now, say) : tellNoAge(survey, now, say)),
    ...judgeStrangers(survey, complete, now, say),
    ...(isOnSchedule ? judgeCount(survey, limits, now, say) : []),
    ...judgeNewest(survey, isOnSchedule ? limits : { ...limits, ...NO_USUAL_SIZE }, now, say),
    ...judgeRead(survey, say),
    ...around,
    ...(isOnSchedule ? judgeDrills(survey, limits.maxDrillAgeMs, now, say) : []),
  ];
}

/** Compares the stores of one source: each that holds backups must hold the newest of all. */
export function judgeCopies(surveys: readonly SourceSurvey[]): Finding[] {
  const holders = surveys.filter(({ newest }) => newest !== undefined);
  const ids = holders.map(({ newest }) => newest?.backup.id ?? '').toSorted();
  const newestId = ids.at(-1);
  if (newestId === undefined || surveys.length < 2) return [];
  return holders.map(({ source, location, backups, newest }) => {
    const has = backups.some((backup) => backup.id === newestId && isComplete(backup));
    const message = has
      ? `${source}: the newest backup ${newestId} is here.`
      : `${source}: the newest backup ${newestId} is not here; the newest here is ${newest?.backup.id}.`;
    const hint = 'Look why the last backup could not be written here, and copy it.';
    return finding('copy-missing', has ? 'pass' : 'fail', message, { subject: location, ...(!has && { hint }) });
  });
}

function missing({ source, backups }: SourceSurvey, say: Say): Finding {
  const also = backups.length === 0 ? '' : ` (${counted(backups.length, 'folder')} without a manifest)`;
  return say('backup-missing', 'fail', `there is no backup${also}.`, {
    numbers: { backups: 0 },
    hint: `Take one, or check that \`source: ${source}\` and \`store\` are those of the backup job.`,
  });
}

function judgeAge({ newest, unreadable }: SourceSurvey, { maxAgeMs }: FreshnessLimits, now: Date, say: Say): Finding[] {
  const bad = describeUnreadable(unreadable, say);
  if (newest === undefined) return [...bad, ageUnknown(say)];
  const ageMs = now.getTime() - new Date(newest.manifest.takenAt).getTime();
  const isOld = ageMs > maxAgeMs;
  const relation = isOld ? 'more than' : 'within';
  const message = `the newest backup ${newest.backup.id} is ${formatDuration(ageMs)} old, ${relation} ${formatDuration(maxAgeMs)}.`;
  const numbers = { ageSeconds: Math.round(ageMs / 1000), limitSeconds: Math.round(maxAgeMs / 1000) };
  const hint = 'Look at the last runs of the backup job: it failed, or it did not run.';
  const age = say('backup-age', isOld ? 'fail' : 'pass', message, { numbers, ...(isOld && { hint }) });
  return [
    ...bad,
    ...(bad.length === 0 ? [say('manifest-unreadable', 'pass', 'the newest manifest can be read.')] : []),
    age,
  ];
}

function tellNoAge({ newest, unreadable }: SourceSurvey, now: Date, say: Say): Finding[] {
  const bad = describeUnreadable(unreadable, say);
  if (newest === undefined) return [...bad, ageUnknown(say)];
  const ageMs = now.getTime() - new Date(newest.manifest.takenAt).getTime();
  const message = `the newest backup ${newest.backup.id} is ${formatDuration(ageMs)} old. Such backups are taken before restores, by no schedule: age, number, size and drills are not judged.`;
  return [...bad, say('backup-age', 'pass', message, { numbers: { ageSeconds: Math.round(ageMs / 1000) } })];
}

function ageUnknown(say: Say): Finding {
  return say('backup-age', 'unknown', 'none of the newest backups can be read, so their age is not known.');
}

function describeUnreadable(unreadable: SourceSurvey['unreadable'], say: Say): Finding[] {
  return unreadable.map(({ id, why }) =>
    say('manifest-unreadable', 'fail', `the manifest of ${id} cannot be read. ${why}`, {
      hint: 'Restore the manifest from another store or from an older version; the backup is never removed by itself.',
    }),
  );
}

function judgeStrangers({ scope }: SourceSurvey, complete: readonly CatalogBackup[], now: Date, say: Say): Finding[] {
  const future = complete.filter((backup) => isInFuture(backup, now));
  const empty = complete.filter((backup) => backup.scope === undefined);
  const others = complete.filter((backup) => backup.scope !== undefined && backup.scope !== scope);
  return [
    listed(say, 'backup-future', 'fail', future, 'dated in the future', {
      hint: 'Set the clock of the database server, and do not rely on the dates of these backups.',
    }),
    listed(say, 'backup-scope', 'warn', others, `of another scope than the usual ${scope}`, {
      hint: 'Give them a source name of their own; freshness and keep rules pass over them.',
    }),
    ...(empty.length === 0
      ? []
      : [
          listed(say, 'artifact-missing', 'fail', empty, 'without any dump: only the manifest is left', {
            hint: 'Find out who removed the artifacts, and copy them back from another store or version.',
          }),
        ]),
  ];
}

function listed(
  say: Say,
  rule: RuleId,
  bad: 'warn' | 'fail',
  found: readonly { readonly id: string }[],
  what: string,
  extra: { hint: string },
): Finding {
  if (found.length === 0) return say(rule, 'pass', `no backup is ${what}.`);
  const message = `${found.length} ${found.length === 1 ? 'backup is' : 'backups are'} ${what}: ${namesOf(found.map(({ id }) => id))}.`;
  return say(rule, bad, message, { numbers: { backups: found.length }, ...extra });
}

function judgeCount(survey: SourceSurvey, { minBackups }: FreshnessLimits, now: Date, say: Say): Finding[] {
  if (minBackups === undefined) return [];
  const found = relevant(survey.backups, survey.scope, now).length;
  const isFew = found < minBackups;
  const message = isFew
    ? `the source has ${counted(found, 'backup')}, fewer than ${minBackups}.`
    : `the source has at least ${counted(minBackups, 'backup')}.`;
  const hint = 'Look whether backups failed, whether prune keeps too few, or who removed some.';
  const numbers = { backups: found, limit: minBackups };
  return [say('backup-count', isFew ? 'fail' : 'pass', message, { numbers, ...(isFew && { hint }) })];
}

function judgeNewest(
  { source, location, newest, backups }: SourceSurvey,
  limits: FreshnessLimits,
  now: Date,
  say: Say,
): Finding[] {
  if (newest === undefined) return [];
  const { backup, manifest, damages } = newest;
  const history = sizeHistory(
    backups.filter((one) => !isInFuture(one, now)),
    backup.takenAt,
  );
  const of = { name: `${source}: the newest backup ${backup.id}`, bytes: backup.bytes, subject: location };
  return [
    judgeArtifacts(backup.id, damages, manifest.artifacts.length, say),
    ...judgeSize(of, history, { minBytes: limits.minBytes, maxDeviation: limits.maxDeviation }),
    judgeMadeSound(backup.id, manifest.findings, say),
  ];
}

function judgeArtifacts(
  id: string,
  damages: readonly { artifact: string; what: string }[],
  count: number,
  say: Say,
): Finding {
  if (damages.length === 0)
    return say('artifact-missing', 'pass', `all ${count} artifacts of ${id} are there with their sizes.`);
  const message = `${id} is damaged: ${namesOf(damages.map(({ artifact, what }) => `${artifact} ${what}`))}.`;
  return say('artifact-missing', 'fail', message, {
    numbers: { damaged: damages.length, artifacts: count },
    hint: 'Take a new backup now, and find out what happened to this one.',
  });
}

/** What was found while it was made and is not judged again here. */
function judgeMadeSound(
  id: string,
  made: readonly { rule: string; status: string; message: string }[],
  say: Say,
): Finding {
  const again = ['store-copy', 'min-size', 'size-deviation'];
  const bad = made.filter(({ rule, status }) => (status === 'fail' || status === 'unknown') && !again.includes(rule));
  if (bad.length === 0) return say('backup-findings', 'pass', `${id} was judged sound while it was made.`);
  const status = bad.some((one) => one.status === 'fail') ? 'fail' : 'warn';
  const message = `when ${id} was made: ${namesOf(bad.map(({ rule, message }) => `${rule}: ${message}`))}`;
  return say('backup-findings', status, message, { numbers: { findings: bad.length } });
}

function judgeRead({ read: tried }: SourceSurvey, say: Say): Finding[] {
  const read = tried.filter(({ archived }) => archived === undefined);
  const frozen = tried.flatMap(({ id, archived }) =>
    archived === undefined
      ? []
      : [
          say('bytes-archived', 'unknown', `${id} could not be read: it lies in an archive class.`, {
            ...(archived.hint !== undefined && { hint: archived.hint }),
          }),
        ],
  );
  return [...frozen, ...judgeBytes(read, say)];
}

function judgeBytes(read: SourceSurvey['read'], say: Say): Finding[] {
  if (read.length === 0) return [];
  const bytes = read.reduce((sum, one) => sum + one.bytes, 0);
  const damaged = read.flatMap(({ id, damages }) => damages.map(({ artifact, what }) => `${id}/${artifact} ${what}`));
  if (damaged.length === 0) {
    const message = `${formatBytes(bytes)} of ${read.length} backups were read and match their SHA-256.`;
    return [say('artifact-corrupt', 'pass', message, { numbers: { bytes, backups: read.length } })];
  }
  const hint = 'Take a new backup now; a copy in another store may still be sound.';
  const numbers = { bytes, backups: read.length, damaged: damaged.length };
  return [
    say('artifact-corrupt', 'fail', `stored bytes are not what was written: ${namesOf(damaged)}.`, { numbers, hint }),
  ];
}

function judgeHidden({ hidden, leftovers }: SourceSurvey, say: Say): Finding[] {
  const beheaded = leftovers.beheaded.map(({ id }) => id);
  const ids = [...new Set([...hidden.manifests, ...hidden.artifacts, ...beheaded])].toSorted();
  if (ids.length === 0) return [say('backup-hidden', 'pass', 'no backup was deleted or hidden by somebody else.')];
  const message = `${ids.length} ${ids.length === 1 ? 'backup was' : 'backups were'} deleted or hidden, in whole or in part, by somebody else: ${namesOf(ids)}.`;
  return [
    say('backup-hidden', 'fail', message, {
      numbers: { backups: ids.length, hiddenManifests: hidden.manifests.size, missingManifests: beheaded.length },
      hint: 'Find out who may delete here. Older versions can be brought back; prune leaves these backups alone.',
    }),
  ];
}

function judgeLeftovers({ leftovers, staleUploads }: SourceSurvey, say: Say): Finding[] {
  const { abandoned } = leftovers;
  if (abandoned.length === 0 && staleUploads.length === 0) {
    return [say('backup-interrupted', 'pass', 'no backup was left half-made.')];
  }
  const names = abandoned.length === 0 ? '' : ` (${namesOf(abandoned.map(({ id }) => id))})`;
  const message = `${abandoned.length} unfinished backups${names} and ${staleUploads.length} unfinished uploads were left behind.`;
  const numbers = { folders: abandoned.length, uploads: staleUploads.length };
  return [
    say('backup-interrupted', 'warn', message, {
      numbers,
      hint: 'The next prune removes them; look why those runs ended.',
    }),
  ];
}

function namesOf(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
