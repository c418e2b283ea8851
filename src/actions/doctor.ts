import { z } from 'zod';
import { isComplete, listSources, readCatalog } from '../core/catalog.ts';
import { describeDoctor } from '../core/doctor-report.ts';
import { Failure } from '../core/failure.ts';
import { judgeRoom } from '../core/free-space.ts';
import { tryKeys } from '../core/key-trial.ts';
import { type Holding, judgeLifecycle, readLifecycle } from '../core/lifecycle-judgement.ts';
import { judgeMachine } from '../core/machine-judgement.ts';
import { notReadable, withStores } from '../core/open-stores.ts';
import type { Store, World } from '../core/ports.ts';
import { type Finding, finding, type Report } from '../core/report.ts';
import type { RetentionPolicy } from '../core/retention.ts';
import { tryStore } from '../core/store-trial.ts';
import { common } from '../github/inputs/every-action.ts';
import { keepRules, policyOf } from '../github/inputs/keep-rules.ts';
import { parseInputs, type RawInputs, shared } from '../github/inputs.ts';
import * as backup from './backup.ts';

export const description =
  'Tries everything that backups and drills need, before one of them does: programs, database, stores, keys, rights, room, clocks.';

export const inputs = z.strictObject({
  ...common,
  'database-url': backup.inputs.shape['database-url'],
  'age-recipients': backup.inputs.shape['age-recipients'],
  'age-identity': shared['age-identity'].optional(),
  'bin-dir': shared['bin-dir'].optional(),
  'tools-prefix': shared['tools-prefix'].optional(),
  'tools-host': shared['tools-host'].optional(),
  'scratch-dir': shared['scratch-dir'].optional(),
  ...keepRules,
});

export const outputs = {} as const;

/** What may be looked at; who else looks gives these. */
export type Given = Omit<z.output<typeof inputs>, Exclude<keyof typeof common, 'store' | 'github-token'>>;

/** As `verify-freshness` has it by default. */
const LEAST_FREE = 0.2;

/** Looks at everything it was given, and says of the rest that it was not looked at. */
export async function doctor(raw: RawInputs, world: World): Promise<Report> {
  const { timeout: _, ...given } = parseInputs(inputs, raw);
  return examineAll(given, world);
}

/** Every check on its own: what stands in the way of one hides no other. */
export async function examineAll(given: Given, world: World): Promise<Report> {
  const scratchDir = given['scratch-dir'] ?? world.scratchDir;
  const engine = await world.openEngine('postgresql');
  const programs = programsOf(given);
  const machine = judgeMachine(await world.examineMachine(scratchDir));
  const { signal } = world;
  const database = await engine.examine({ url: given['database-url'], programs, scratchDir, signal });
  const identity = given['age-identity'];
  const keys = await tryKeys({ recipients: given['age-recipients'], identity }, world);
  const stores = await withStores(world, given.store, async ({ stores, findings }) => {
    const tried: Finding[] = [...findings];
    for (const store of stores) tried.push(...(await examineStore(store, policyOf(given), world)));
    return tried;
  });
  const token = await examineToken(given['github-token'], world);
  return describeDoctor([
    { title: 'This machine', findings: machine },
    {
      title: 'Database',
      findings: database,
      missing: given['database-url'] === undefined ? 'database-url' : undefined,
    },
    { title: 'Stores', findings: stores },
    { title: 'Keys', findings: keys, missing: keys.length === 0 ? 'age-recipients' : undefined },
    { title: 'GitHub', findings: token, missing: token.length === 0 ? 'github-token' : undefined },
  ]);
}

function programsOf(given: Given) {
  const { 'bin-dir': binDir, 'tools-prefix': toolsPrefix, 'tools-host': toolsHost } = given;
  return {
    ...(binDir === undefined ? {} : { binDir }),
    ...(toolsPrefix === undefined ? {} : { toolsPrefix }),
    ...(toolsHost === undefined ? {} : { toolsHost }),
  };
}

async function examineStore(store: Store, policy: RetentionPolicy | undefined, world: World): Promise<Finding[]> {
  world.log.info(`Trying ${store.location}`);
  const tried = await tryStore(store, world);
  const room = await judgeRoom(store, LEAST_FREE);
  try {
    const reading = await readLifecycle(store);
    const holdings = reading === undefined ? [] : await readHoldings(store, world);
    const matters = { holdings, policy, now: world.now(), ifUnknown: 'warn' } as const;
    return [...tried, ...room, ...judgeLifecycle(store.location, reading, matters)];
  } catch (error) {
    return [...tried, ...room, notReadable(store.location, error, 'What it holds')];
  }
}

async function readHoldings(store: Store, { signal }: World): Promise<Holding[]> {
  const holdings: Holding[] = [];
  for (const source of await listSources(store)) {
    const backups = (await readCatalog(store, source, { signal })).filter(isComplete);
    holdings.push({ source, backups });
  }
  return holdings;
}

async function examineToken(token: string | undefined, world: World): Promise<Finding[]> {
  if (token === undefined) return [];
  try {
    const isThere = await world.tryIssues(token);
    if (!isThere) return [];
    return [finding('token-rights', 'pass', 'The token reads issues; whether it may write them shows when it must.')];
  } catch (error) {
    if (world.signal.aborted || !(error instanceof Failure)) throw error;
    const { message, hint } = error;
    return [finding('token-rights', 'warn', message, hint === undefined ? {} : { hint })];
  }
}
