import { formatDuration } from './duration.ts';
import type { Say } from './freshness.ts';
import type { SourceSurvey } from './freshness-survey.ts';
import type { Finding } from './report.ts';

/** Judges the drills of one source in one store: whether there are any, how old, and what they proved. */
export function judgeDrills(survey: SourceSurvey, maxAgeMs: number | undefined, now: Date, say: Say): Finding[] {
  const { proof } = survey;
  if (proof === undefined) return [notDrilled(survey, maxAgeMs, say)];
  return [
    say('drill-missing', 'pass', `the last conclusive drill here was of ${proof.backup.id}.`),
    ...judgeAge(proof.drill.startedAt, maxAgeMs, now, say),
    judgeOutcome(survey, say),
  ];
}

/** Nobody asked for drills without `max-drill-age`, but a backup never restored is a hope. */
function notDrilled(survey: SourceSurvey, maxAgeMs: number | undefined, say: Say): Finding {
  const drills = survey.backups.reduce((sum, backup) => sum + backup.drills.length, 0);
  const span = survey.since === undefined ? '' : ` since ${survey.since.toISOString().slice(0, 10)}`;
  const also = drills === 0 ? '' : ` (${drills} drills were inconclusive or of copies in other stores)`;
  return say(
    'drill-missing',
    maxAgeMs === undefined ? 'warn' : 'fail',
    `no backup here was proven by a drill${span}${also}.`,
    {
      numbers: { drills },
      hint: `Run a restore drill: \`lifeboat restore-drill --source ${survey.source} --store ${survey.location}\`.`,
    },
  );
}

function judgeAge(drilledAt: Date, maxAgeMs: number | undefined, now: Date, say: Say): Finding[] {
  if (maxAgeMs === undefined) return [];
  const ageMs = now.getTime() - drilledAt.getTime();
  const isOld = ageMs > maxAgeMs;
  const message = `the last conclusive drill was ${formatDuration(ageMs)} ago, ${isOld ? 'more than' : 'within'} ${formatDuration(maxAgeMs)}.`;
  const numbers = { ageSeconds: Math.round(ageMs / 1000), limitSeconds: Math.round(maxAgeMs / 1000) };
  const hint = 'Look at the last runs of the drill job: it failed, or it did not run.';
  return [say('drill-age', isOld ? 'fail' : 'pass', message, { numbers, ...(isOld && { hint }) })];
}

function judgeOutcome({ proof, backups }: SourceSurvey, say: Say): Finding {
  if (proof?.proof === 'disproven') {
    return say('drill-proof', 'fail', `the last conclusive drill disproved ${proof.backup.id}.`, {
      hint: `Read its record, ${proof.drill.key}, and drill another backup now.`,
    });
  }
  const since = proof?.drill.startedAt.getTime() ?? 0;
  const later = backups.flatMap(({ drills }) => drills).filter((drill) => drill.startedAt.getTime() > since);
  if (later.some((drill) => drill.proof === 'inconclusive')) {
    return say(
      'drill-proof',
      'warn',
      `the last drill that proved something was of ${proof?.backup.id}; a later one was inconclusive.`,
      {
        hint: 'Read the record of the later drill: it says what it could not do.',
      },
    );
  }
  return say('drill-proof', 'pass', `the last conclusive drill proved ${proof?.backup.id}.`);
}
