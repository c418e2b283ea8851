import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { backendOf, type Part, tellBackend } from './backends.ts';
import { fillFolder } from './disk.ts';
import type { Fault, Injection } from './fault.ts';
import type { Ground } from './ground.ts';
import { after, during, randomMoment } from './moments.ts';
import { type PostgresProxy, postgresProxy } from './postgres-proxy.ts';
import { kill, processesIn } from './processes.ts';
import type { Run } from './program.ts';
import type { Dice } from './random.ts';
import type { Site } from './site.ts';

/** How long each part usually goes on once it has begun, in milliseconds. */
const LASTS_MS: Readonly<Record<Part, number>> = { lock: 1200, snapshot: 900, dump: 400, facts: 600 };

/** So many that one at least meets a run at its work. */
const MOMENTS = 3;

const PARTS: readonly Part[] = ['lock', 'snapshot', 'dump', 'facts'];
/** Reading fingerprints takes long enough to be met at it. */
const SLOW_FACTS = { words: ['--facts', 'fingerprints'] };

const BROKE = /->.*(reaches its host and port|session that held the snapshot)/s;
const CANCELLED = /->.*pg_cancel_backend/s;
/** At any other time they wait for us, and there is nothing to cancel. */
const WORKING: ReadonlySet<Part> = new Set(['dump', 'facts']);

const perPart = PARTS.flatMap((part): Fault[] => [
  atBackend(part, { name: `the connection of the ${part} is cut`, says: BROKE, endsRed: true }, cut),
  atBackend(part, { name: `the backend of the ${part} is terminated`, says: BROKE, endsRed: true }, terminate),
  atBackend(
    part,
    { name: `the statement of the ${part} is cancelled`, says: CANCELLED, endsRed: WORKING.has(part) },
    cancel,
  ),
]);

/** False when the part has nobody right now. */
type Act = (part: Part, target: Target) => Promise<boolean>;

async function cut(part: Part, { site, proxy }: Target): Promise<boolean> {
  const backend = await backendOf(site.server, part);
  return backend !== undefined && proxy.cut(backend.clientPort);
}

function terminate(part: Part, { site }: Target): Promise<boolean> {
  return tellBackend(site.server, part, 'pg_terminate_backend');
}

function cancel(part: Part, { site }: Target): Promise<boolean> {
  return tellBackend(site.server, part, 'pg_cancel_backend');
}

const named = (name: string, says: RegExp = BROKE) => ({ name, says, endsRed: true });

export const postgresFaults: readonly Fault[] = [
  ...perPart,
  atRandom(named('every connection is cut'), async ({ proxy }) => proxy.cutAll()),
  atRandom(named('the server falls silent', /->.*(stall-timeout|reaches its host)/s), async ({ proxy }) =>
    proxy.fallSilent(),
  ),
  atRandom(named('a backend crashes and takes all others with it'), async ({ site }) => crashServer(site)),
  atRandom(named('every backend is terminated'), async ({ site }) => void (await tellAll(site))),
  atRandom(named('the server is restarted'), ({ site }) => site.server.restart('fast')),
  downAtFirst(),
  fullDisk(),
];

interface Target {
  readonly site: Site;
  readonly proxy: PostgresProxy;
}

type Named = Pick<Fault, 'name' | 'endsRed' | 'says'>;

function atBackend(part: Part, one: Named, act: Act): Fault {
  const strike = async (run: Run, dice: Dice, target: Target): Promise<boolean> => {
    if ((await during(run, () => backendOf(target.site.server, part))) === undefined) return false;
    if (!(await after(run, dice.share() * LASTS_MS[part]))) return false;
    return (await during(run, async () => (await act(part, target)) || undefined)) === true;
  };
  return fault(one, strike);
}

function atRandom(one: Named, act: (target: Target) => Promise<void>): Fault {
  const strike = async (run: Run, dice: Dice, target: Target, ground: Ground) => {
    if (!(await randomMoment(run, dice.share(), ground.usualMs.backup))) return false;
    await act(target);
    return true;
  };
  return fault(one, strike);
}

type Strike = (run: Run, dice: Dice, target: Target, ground: Ground) => Promise<boolean>;

function fault(one: Named, strike: Strike): Fault {
  return {
    ...one,
    ...{ group: 'PostgreSQL', action: 'backup', store: 'file', moments: MOMENTS },
    // At its end a part has done its work; and an idle session has nothing to cancel.
    expected: 'either',
    inject: (site, dice, ground) => inject(site, dice, ground, strike),
  };
}

async function inject(site: Site, dice: Dice, ground: Ground, strike: Strike): Promise<Injection> {
  const proxy = await postgresProxy(site.server.port);
  const databaseUrl = site.databaseUrl.replace(`:${site.server.port}/`, `:${proxy.port}/`);
  let hit = false;
  return {
    changed: { databaseUrl, ...SLOW_FACTS },
    hit: () => hit,
    during: async (run) => {
      hit = await strike(run, dice, { site, proxy }, ground);
    },
    mend: async () => {
      proxy.close();
      await isUp(site);
    },
  };
}

/** It is down when the run begins, and up again soon. */
function downAtFirst(): Fault {
  return {
    ...{ group: 'PostgreSQL', name: 'the server is down and comes back', action: 'backup', store: 'file', moments: 1 },
    ...{ expected: 'passes' },
    inject: async ({ server }) => {
      await server.down('fast');
      return {
        hit: () => true,
        during: async (run) => {
          await after(run, DOWN_MS);
          await server.up();
        },
      };
    },
  };
}

const DOWN_MS = 1_500;

/** Not of all of it: where the snapshot is exported to. Something is written there by every backup. */
function fullDisk(): Fault {
  return {
    ...{ group: 'PostgreSQL', name: 'disk full on the server', action: 'backup', store: 'file', moments: 1 },
    ...{ expected: 'fails', says: /No space left.*->.*[Ff]ree/s, mounts: true },
    inject: async ({ server }) => {
      const full = fillFolder(join(server.dataDir, 'pg_snapshots'));
      return { hit: () => true, mend: async () => full.remove() };
    },
  };
}

async function tellAll({ server }: Site): Promise<void> {
  await server.psql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%'`);
}

/** What the kernel does when memory runs out: the postmaster ends every session and recovers. */
async function crashServer({ server }: Site): Promise<void> {
  const victim = processesIn(server.dataDir).find(({ pid }) => pid !== server.pid);
  if (victim !== undefined) kill(victim.pid);
}

async function isUp({ server }: Site): Promise<void> {
  for (const end = Date.now() + 30_000; ; await delay(100)) {
    const up = await server.psql('SELECT 1').catch((error: unknown) => error);
    if (up === '1') return;
    if (Date.now() > end) throw new Error('The source did not come up again.', { cause: up });
  }
}
