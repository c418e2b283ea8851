import type { StepName } from './restore-plan.ts';

/** Which databases exist under which names, and whether the application runs: what somebody must know at any moment. */
export interface Situation {
  /** `absent`: there never was one; `dropped`: there was one. */
  target: 'as it was' | 'absent' | 'dropped' | 'restored';
  /** What was restored and has not taken the target's place; undefined: there is none. */
  restored: { readonly name: string; readonly state: RestoredState } | undefined;
  /** What was in the target before, under this name. */
  old: string | undefined;
  /** As far as `before` and `after` tell; `unknown`: one of them failed half way. */
  application: 'untouched' | 'stopped' | 'started' | 'unknown';
  safety: { readonly source: string; readonly id: string } | undefined;
  /** What it broke off at. */
  failedAt: StepName | undefined;
}

/** `not checked`: it was restored, and what came then failed; `differs`: it is not what the snapshot held. */
export type RestoredState = 'sound' | 'differs' | 'not checked';

export interface Line {
  readonly what: string;
  readonly is: string;
}

/** One line for each database, the target first, then the application. */
export function describeSituation(
  situation: Situation,
  { target, backup }: { target: string; backup: string },
): Line[] {
  const { restored, old, safety } = situation;
  const words: Record<RestoredState, string> = {
    sound: `holds ${backup}, compared with its snapshot and sound`,
    differs: `holds ${backup}, and differs from its snapshot`,
    'not checked': `holds ${backup}, and nobody compared it`,
  };
  return [
    { what: target, is: targetWords(situation, backup) },
    ...(restored === undefined ? [] : [{ what: restored.name, is: words[restored.state] }]),
    ...(old === undefined ? [] : [{ what: old, is: `what was in ${target} before` }]),
    ...(safety === undefined
      ? []
      : [
          { what: `backup ${safety.id}`, is: `what was in ${target} before, in the stores as source ${safety.source}` },
        ]),
    ...applicationLine(situation),
  ];
}

function targetWords({ target, safety }: Situation, backup: string): string {
  if (target === 'restored') return `holds ${backup}`;
  if (target === 'absent') return 'does not exist, as before';
  if (target === 'as it was') return 'is as it was';
  return safety === undefined
    ? 'was dropped and does not exist'
    : `was dropped and does not exist; backup ${safety.id} holds it`;
}

function applicationLine({ application }: Situation): Line[] {
  const words = {
    stopped: 'was stopped by `before`, and `after` did not run',
    started: '`after` ran: it was started again',
    unknown: 'not known: `before` or `after` broke off',
  };
  return application === 'untouched' ? [] : [{ what: 'The application', is: words[application] }];
}

/** The first thing to read: where the target stands. */
export function titleOf({ target, restored, failedAt }: Situation, name: string): string {
  const end = failedAt === undefined ? '' : `, and "${failedAt}" failed`;
  if (target === 'restored') return `restored into ${name}${end}`;
  if (target === 'dropped') return `${name} was dropped and is NOT restored`;
  const beside =
    restored === undefined ? '' : restored.state === 'sound' ? `, restored beside it as ${restored.name}` : '';
  return target === 'absent' ? `${name} is not restored` : `${name} is as it was${beside}${end}`;
}
