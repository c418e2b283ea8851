import type { Ground } from './ground.ts';
import { checkAfterFault } from './invariants.ts';
import type { Ended, Run } from './program.ts';
import { type Dice, diceOf } from './random.ts';
import type { Action, Changed, Site, StoreKind } from './site.ts';

/** One thing that goes wrong, and what must come of it. */
export interface Fault {
  readonly group: string;
  readonly name: string;
  readonly action: Action;
  readonly store: StoreKind;
  /** `passes`: the fault is a passing one, and is overcome. */
  readonly expected: 'passes' | 'fails' | 'either';
  /** Of `either`: one of its moments at least must end the run, or nothing was struck. */
  readonly endsRed?: boolean;
  /** What a run that fails says, in message or hint. */
  readonly says?: RegExp;
  /** What its report counts: the fault is overcome by trying again. */
  readonly counts?: 'store-retries' | 'source-retries';
  /** The process is killed, or its store is out of reach to the end: the next run or prune finds what it left. */
  readonly mayLeave?: boolean;
  /** Every reading brings the same wrong bytes: nobody can tell that from a copy that is damaged. */
  readonly mayDisprove?: boolean;
  /** It mounts a file system over a folder of a server, as only root may. */
  readonly mounts?: boolean;
  /** What is true of every snapshot of the source. */
  readonly assertions?: string;
  /** Moments tried in one round of the soak. */
  readonly moments: number;
  inject(site: Site, dice: Dice, ground: Ground): Promise<Injection>;
}

export interface Injection {
  readonly changed?: Changed;
  /** Goes on beside the program; resolves when the fault was made, or came too late. */
  during?(run: Run): Promise<void>;
  /** Whether it happened at all: a program may have ended before. */
  hit(): boolean;
  /** Takes the fault away, so that the next run meets a sound world. */
  mend?(): Promise<void>;
  /** What else does not hold, once the world is sound again. */
  check?(): Promise<string[]>;
}

export interface Trial {
  readonly fault: Fault;
  readonly round: number;
  readonly outcome: 'went through' | 'ended red' | 'was killed' | 'hung';
  readonly hit: boolean;
  readonly seconds: number;
  /** Empty: it was survived. */
  readonly problems: readonly string[];
  readonly ended: Ended;
}

/** Makes one fault happen, and throws again with other dice as long as it comes too late. */
export async function tryUntilHit(
  ground: Ground,
  fault: Fault,
  seed: number,
  { round, most }: { round: number; most: number },
  tell: (trial: Trial) => void = () => {},
): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (let turn = 1; turn <= most && trials.at(-1)?.hit !== true; turn += 1) {
    const trial = await tryFault(ground, fault, seed, { round, turn });
    trials.push(trial);
    tell(trial);
  }
  return trials;
}

/** What all moments of one fault together must show. */
export function judgeMoments({ endsRed = false }: Pick<Fault, 'endsRed'>, trials: readonly Trial[]): string[] {
  const hits = trials.filter(({ hit }) => hit);
  if (hits.length === 0) return [`It never happened: ${trials.length} times it came too late.`];
  const isWithoutEffect = endsRed && hits.every(({ outcome }) => outcome === 'went through');
  return isWithoutEffect ? [`It happened ${hits.length} times, and no run was ended by it.`] : [];
}

/** Makes one fault happen to one run, and checks everything that must hold afterwards. */
async function tryFault(
  ground: Ground,
  fault: Fault,
  seed: number,
  { round, turn }: { round: number; turn: number },
): Promise<Trial> {
  const again = turn === 1 ? [] : [turn];
  const dice = diceOf(seed, fault.group, fault.name, fault.action, fault.store, round, ...again);
  const site = await ground.newSite(fault.store, fault.action === 'prune');
  try {
    const { ended, hit, run, injection } = await runUnder(fault, site, dice, ground);
    const { action, mayLeave = false, mayDisprove = false, assertions } = fault;
    const after = { action, run, ended, mayLeave: mayLeave || ended.hung, mayDisprove, assertions };
    const problems = [...judgeOutcome(fault, ended, hit), ...(await checkAfterFault(site, after))];
    problems.push(...((await injection.check?.()) ?? []));
    return { fault, round, outcome: outcomeOf(ended), hit, seconds: ended.seconds, problems, ended };
  } finally {
    await site.remove();
  }
}

async function runUnder(fault: Fault, site: Site, dice: Dice, ground: Ground) {
  const injection = await fault.inject(site, dice, ground);
  try {
    const run = site.start(fault.action, injection.changed);
    await Promise.all([injection.during?.(run), run.ended]);
    return { run, ended: await run.ended, hit: injection.hit(), injection };
  } finally {
    await injection.mend?.();
  }
}

/** A fault that did not happen changes nothing: then the run passes. */
export function judgeOutcome(
  { expected, says, counts }: Pick<Fault, 'expected' | 'says' | 'counts'>,
  ended: Ended,
  hit: boolean,
): string[] {
  const wanted = hit ? expected : 'passes';
  if (ended.hung || ended.signal !== null) return [];
  const failed = ended.code !== 0;
  const bad = ended.report?.findings.filter(({ status }) => status === 'fail' || status === 'unknown') ?? [];
  const text = bad.map(({ message, hint }) => `${message} -> ${hint}`).join('\n');
  if (wanted === 'passes' && failed) return [`It was to be overcome, and the run failed: ${text}`];
  if (wanted === 'fails' && !failed) return ['It was to make the run fail, and was not noticed.'];
  const counted = ended.report?.findings.find(({ rule }) => rule === counts)?.numbers?.retries ?? 0;
  if (!failed && hit && counts !== undefined && counted < 1) return [`It was tried again, and ${counts} says nothing.`];
  return failed && says !== undefined && !says.test(text) ? [`It says something else: ${text}`] : [];
}

function outcomeOf({ hung, signal, code }: Ended): Trial['outcome'] {
  if (hung) return 'hung';
  if (signal !== null) return 'was killed';
  return code === 0 ? 'went through' : 'ended red';
}
