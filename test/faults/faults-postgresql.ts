import { setTimeout as delay } from 'node:timers/promises';
import { type Backend, backendOf, type Part } from './backends.ts';
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

const PARTS: readonly Part[] = ['lock', 'snapshot', 'dump', 'facts'];
/** Reading fingerprints takes long enough to be met at it. */
const SLOW_FACTS = { words: ['--facts', 'fingerprints'] };

const perPart = PARTS.flatMap((part): Fault[] => [
  atBackend(part, `the connection of the ${part} is cut`, async ({ clientPort }, { proxy }) => proxy.cut(clientPort)),
  atBackend(part, `the backend of the ${part} is terminated`, ({ pid }, { site }) =>
    tell(site, 'pg_terminate_backend', pid),
  ),
  atBackend(part, `the statement of the ${part} is cancelled`, ({ pid }, { site }) =>
    tell(site, 'pg_cancel_backend', pid),
  ),
]);

export const postgresFaults: readonly Fault[] = [
  ...perPart,
  atRandom('every connection is cut', async ({ proxy }) => proxy.cutAll(), 3),
  atRandom('the server falls silent', async ({ proxy }) => proxy.fallSilent(), 2),
  atRandom('a backend crashes and takes all others with it', async ({ site }) => crashServer(site), 2),
  atRandom('every backend is terminated', async ({ site }) => void (await tellAll(site)), 2),
];

interface Target {
  readonly site: Site;
  readonly proxy: PostgresProxy;
}

function atBackend(part: Part, name: string, act: (backend: Backend, target: Target) => Promise<boolean>): Fault {
  const strike = async (run: Run, dice: Dice, target: Target): Promise<boolean> => {
    const look = () => backendOf(target.site.server, part);
    if ((await during(run, look)) === undefined) return false;
    if (!(await after(run, dice.share() * LASTS_MS[part]))) return false;
    const backend = await during(run, look);
    return backend !== undefined && (await act(backend, target));
  };
  return fault(name, 1, strike);
}

function atRandom(name: string, act: (target: Target) => Promise<void>, moments: number): Fault {
  const strike = async (run: Run, dice: Dice, target: Target, ground: Ground) => {
    if (!(await randomMoment(run, dice.share(), ground.usualMs.backup))) return false;
    await act(target);
    return true;
  };
  return fault(name, moments, strike);
}

type Strike = (run: Run, dice: Dice, target: Target, ground: Ground) => Promise<boolean>;

function fault(name: string, moments: number, strike: Strike): Fault {
  return {
    ...{ group: 'PostgreSQL', name, action: 'backup', store: 'file', moments },
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

async function tell({ server }: Site, what: string, pid: number): Promise<boolean> {
  return (await server.psql(`SELECT ${what}(${pid})`)) === 't';
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
