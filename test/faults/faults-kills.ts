import type { Fault, Injection } from './fault.ts';
import type { Ground } from './ground.ts';
import { after, childrenNamed, during, randomMoment } from './moments.ts';
import { kill } from './processes.ts';
import type { Dice } from './random.ts';
import type { Action, Site } from './site.ts';

interface Child {
  readonly action: Action;
  readonly name: string;
  /** How long one of them usually lives, in milliseconds. */
  readonly livesMs: number;
  readonly moments: number;
  /** Default: one of its moments at least ends the run. */
  readonly endsRed?: boolean;
  readonly words?: readonly string[];
}

/** With those side by side fifty moments for each of the two actions. */
const CHILDREN: readonly Child[] = [
  { action: 'backup', name: 'psql', livesMs: 900, moments: 18 },
  { action: 'backup', name: 'pg_dump', livesMs: 500, moments: 12 },
  { action: 'backup', name: 'zstd', livesMs: 500, moments: 12 },
  // The roles are then taken from the catalog.
  { action: 'backup', name: 'pg_dumpall', livesMs: 40, moments: 4, endsRed: false },
  { action: 'restore-drill', name: 'initdb', livesMs: 500, moments: 4 },
  { action: 'restore-drill', name: 'postgres', livesMs: 2500, moments: 12 },
  { action: 'restore-drill', name: 'psql', livesMs: 900, moments: 10 },
  { action: 'restore-drill', name: 'pg_restore', livesMs: 900, moments: 12 },
  { action: 'restore-drill', name: 'zstd', livesMs: 900, moments: 8 },
];

const STREAMS = ['--jobs', '2'];
/** The same where several of them run side by side. */
const SIDE_BY_SIDE = (['pg_dump', 'zstd', 'pg_restore'] as const).flatMap((name) =>
  CHILDREN.filter((child) => child.name === name).map((child) => ({ ...child, moments: 2, words: STREAMS })),
);

const childKills = [...CHILDREN, ...SIDE_BY_SIDE].map(
  ({ action, name, livesMs, moments, endsRed = true, words = [] }): Fault => ({
    ...{
      group: 'Kill',
      name: `kill -9 of ${name}${words.length > 0 ? ', two streams' : ''}`,
      action,
      store: 'file',
      moments,
    },
    // Killed in its last moment it may have done its work.
    ...{ expected: 'either', endsRed },
    inject: async (site, dice) => killChild(site, dice, { name, livesMs, words }),
  }),
);

const nodeKills = (['backup', 'restore-drill'] as const).map(
  (action): Fault => ({
    ...{ group: 'Kill', name: 'kill -9 of node', action, store: 'file', moments: 20 },
    ...{ expected: 'either', endsRed: true, mayLeave: true },
    inject: async (_, dice, ground) => signalNode('SIGKILL', { action, dice, ground }),
  }),
);

const nodeKillsOnS3: Fault = {
  ...{ group: 'Kill', name: 'kill -9 of node, S3', action: 'backup', store: 's3', moments: 10 },
  ...{ expected: 'either', endsRed: true, mayLeave: true },
  inject: async (_, dice, ground) => signalNode('SIGKILL', { action: 'backup', dice, ground }),
};

const signals = (['SIGINT', 'SIGTERM'] as const).flatMap((signal) =>
  (['backup', 'restore-drill'] as const).map(
    (action): Fault => ({
      ...{ group: 'Signal', name: signal, action, store: 'file', moments: 8 },
      // A run that is through with its work says so, whatever comes then.
      ...{ expected: 'either', endsRed: true, says: /cancelled/ },
      inject: async (_, dice, ground) => signalNode(signal, { action, dice, ground }),
    }),
  ),
);

const signalsOnS3 = (['SIGINT', 'SIGTERM'] as const).map(
  (signal): Fault => ({
    ...{ group: 'Signal', name: `${signal}, S3`, action: 'backup', store: 's3', moments: 4 },
    ...{ expected: 'either', endsRed: true, says: /cancelled/ },
    inject: async (_, dice, ground) => signalNode(signal, { action: 'backup', dice, ground }),
  }),
);

export const kills: readonly Fault[] = [...childKills, ...nodeKills, nodeKillsOnS3, ...signals, ...signalsOnS3];

/** One of this kind that is there at a random moment of the first one's life. */
function killChild(
  { scratchDir }: Site,
  dice: Dice,
  { name, livesMs, words }: { name: string; livesMs: number; words: readonly string[] },
): Injection {
  const waitMs = dice.share() * livesMs;
  let hit = false;
  return {
    changed: { words },
    hit: () => hit,
    during: async (run) => {
      const alive = () => childrenNamed(run, name, scratchDir);
      if ((await during(run, () => alive()[0])) === undefined || !(await after(run, waitMs))) return;
      const found = await during(run, () => {
        const now = alive();
        return now.length === 0 ? undefined : now;
      });
      if (found !== undefined) hit = kill(dice.pick(found).pid);
    },
  };
}

function signalNode(
  signal: NodeJS.Signals,
  { action, dice, ground }: { action: Action; dice: Dice; ground: Ground },
): Injection {
  const share = dice.share();
  let hit = false;
  return {
    hit: () => hit,
    during: async (run) => {
      if (await randomMoment(run, share, ground.usualMs[action])) hit = kill(run.pid, signal);
    },
  };
}
