import { z } from 'zod';
import { conclusiveDrill, listSources } from '../core/catalog.ts';
import { counted } from '../core/counted.ts';
import { Failure } from '../core/failure.ts';
import { judgeRoom } from '../core/free-space.ts';
import { type FreshnessLimits, judgeCopies, judgeFreshness } from '../core/freshness.ts';
import { describeSources, type JudgedSource } from '../core/freshness-report.ts';
import { type ReadData, type SourceSurvey, type SurveyOptions, surveySource } from '../core/freshness-survey.ts';
import { checkSourceName } from '../core/keys.ts';
import { mapInLanes } from '../core/lanes.ts';
import { judgeLifecycle, readLifecycle } from '../core/lifecycle-judgement.ts';
import { notReadable, withStores } from '../core/open-stores.ts';
import type { Store, World } from '../core/ports.ts';
import { type Finding, finding, type Report, report, type Trend, worst } from '../core/report.ts';
import { readRestoreTimes, restoreTrend } from '../core/restore-trend.ts';
import { judgeSchedules, unreadable } from '../core/schedule-judgement.ts';
import { formatBytes } from '../core/size.ts';
import { gatherStatus } from '../core/status.ts';
import { statusPage } from '../core/status-page.ts';
import { roomSamples } from '../core/store-metrics.ts';
import { withTicker } from '../core/ticker.ts';
import { common } from '../github/inputs/every-action.ts';
import { keepRules, policyOf } from '../github/inputs/keep-rules.ts';
import { count, lines, parseInputs, type RawInputs, share, shared, text, timespan } from '../github/inputs.ts';

export const description =
  'Judges backups from the stores alone: age, size, copies, integrity, drills, free space, and what somebody else removed.';

const readData = z
  .string()
  .transform((value, context): ReadData => {
    const percent = Number(/^(\d+(?:\.\d+)?)%$/.exec(value)?.[1] ?? Number.NaN);
    if (value === 'none' || value === 'newest') return value;
    if (percent <= 100) return percent / 100;
    context.addIssue({ code: 'custom', message: 'Use `none`, `newest`, or a share such as `10%`.' });
    return z.NEVER;
  })
  .meta({
    description:
      'Whose stored bytes are read and compared with their SHA-256: `none`, the `newest` backup, or a share such as `10%` of all bytes, chosen at random.',
  });

const workflowFile = /^[^/\\\s]+\.ya?ml$/;

const aboutSchedules =
  'Workflows that must run by their schedule, one file name a line, e.g. `nightly-backup.yml`: enabled, run within twice their interval, waiting for no runner. Needs `github-token` with `actions: read` and `contents: read`.';

const schedules = lines(aboutSchedules)
  .refine((files) => files.every((file) => workflowFile.test(file)), {
    error: 'Use names of files in .github/workflows, one a line, such as `nightly-backup.yml`.',
  })
  .meta({ description: aboutSchedules });

export const inputs = z.strictObject({
  ...common,
  source: shared.sources.prefault(''),
  expect: lines('Names of sources that must exist, one a line, beside those judged anyway.').prefault(''),
  'max-age': timespan('Greatest age of the newest backup, counted from the moment of its snapshot.').prefault('26h'),
  'max-drill-age': timespan(
    'Greatest age of the last conclusive drill, e.g. `8d`; without it, a missing drill only warns.',
  ).optional(),
  'min-size': shared['min-size'],
  'max-size-deviation': shared['max-size-deviation'],
  'min-backups': count('Smallest number of backups a source may have.').optional(),
  'min-free-space': share('Smallest share of a local store that must be free.', {}, 1).prefault('20%'),
  'read-data': readData.prefault('none'),
  schedules: schedules.prefault(''),
  'status-page': text(
    'Folder, or path of an `.html` file, that a status page is written to; relative to the workspace. The keep rules say what prune keeps, for this page only: nothing is removed here.',
  ).optional(),
  ...keepRules,
});

export const outputs = {
  sources: 'JSON, a row per source and store: verdict, newest backup, age, bytes, copies, last drill.',
  'newest-backup-id': 'Id of the newest backup in any of the stores, when one source was judged.',
  'age-seconds': 'Its age in seconds, when one source was judged.',
  bytes: 'Its size in bytes, when one source was judged.',
} as const;

/** Sources judged side by side: judging one is little but waiting for answers of its stores. */
const LANES = 8;
/** Drills in the curve, a small read each. */
const TREND_DRILLS = 5;

type Given = Pick<z.output<typeof inputs>, JudgedBy>;
/** What the judgement needs of the inputs; who else judges has these. */
type JudgedBy = Exclude<keyof z.output<typeof inputs>, keyof typeof common | 'schedules' | 'status-page'> | 'store';

/** Judges every source in every store, then the stores against each other; writes a status page if one is asked for. */
export async function verifyFreshness(raw: RawInputs, world: World): Promise<Report> {
  const given = parseInputs(inputs, raw);
  const page = given['status-page'];
  refuseIdleKeepRules(given, page);
  const workflows = await judgeWorkflows(given, world);
  const also = (write: WritePage) => (page === undefined ? Promise.resolve([]) : writeOrSay(page, write, world));
  return judge(given, world, also, workflows);
}

/** Writes the status page to a path and resolves with where it is. */
export type WritePage = (path: string) => Promise<string>;

/**
 * Judges what was given.
 *
 * @param also runs while the stores are open, and resolves with notices for the report
 * @param elsewhere what was judged beside the stores
 */
export async function judge(
  given: Given,
  world: World,
  also: (write: WritePage) => Promise<string[]>,
  elsewhere: readonly Finding[] = [],
): Promise<Report> {
  for (const name of [...given.source, ...given.expect]) if (name !== '*') checkSourceName(name);
  return withStores(world, given.store, async ({ stores, findings }) => {
    const rooms = (await Promise.all(stores.map((store) => judgeRoom(store, given['min-free-space'])))).flat();
    const around = [...findings, ...rooms, ...elsewhere];
    const listing = await listAll(stores, given);
    // Whole backups are read one after the other: a disk is faster so, and what is random stays what it was.
    const lanes = given['read-data'] === 'none' ? LANES : 1;
    const judged = await mapInLanes(listing.sources, lanes, (source) => judgeSource(source, stores, given, world));
    const rules = (await Promise.all(stores.map((store) => judgeRules(store, judged, given, world.now())))).flat();
    // A store that was not read may hold everything.
    const isRead = findings.length === 0 && listing.findings.length === 0;
    const nothing = listing.sources.length === 0 && isRead ? [noSource(given)] : [];
    const all = [...around, ...rules, ...listing.findings, ...nothing, ...judged.flatMap(({ findings }) => findings)];
    const notices = await also((path) => writeStatus(path, { stores, judged, findings: all }, given, world));
    const title = judged.length === 1 ? `Freshness of ${judged[0]?.source}` : `Freshness of ${judged.length} sources`;
    const details = describeSources(judged, limitsOf(given), world.now());
    const metrics = [...details.metrics, ...rooms.flatMap(roomSamples)];
    const trends = [...details.trends, ...(await restoreTrendOf(judged, stores))];
    return { ...report(title, all, { ...details, trends, sources: listing.sources, metrics }), notices };
  });
}

/** Of a single source, where a few records tell it. */
async function restoreTrendOf(judged: readonly JudgedSource[], stores: readonly Store[]): Promise<Trend[]> {
  const surveys = judged.length === 1 ? judged.flatMap(({ rows }) => rows.flatMap(({ survey }) => survey ?? [])) : [];
  // One alone is read already, and shows no trend.
  const drilled = surveys.find(({ backups }) => backups.filter((one) => conclusiveDrill(one) !== undefined).length > 1);
  const store = stores.find(({ location }) => location === drilled?.location);
  if (drilled === undefined || store === undefined) return [];
  return restoreTrend(await readRestoreTimes(store, drilled.backups, TREND_DRILLS));
}

/** What was judged is judged: a page that cannot be written changes no verdict. */
async function writeOrSay(page: string, write: WritePage, world: World): Promise<string[]> {
  try {
    world.log.info(`The status page is ${await write(page)}.`);
    return [];
  } catch (error) {
    if (world.signal.aborted || !(error instanceof Failure)) throw error;
    const notice = `The status page failed: ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`;
    world.log.warning(notice);
    return [notice];
  }
}

async function writeStatus(
  path: string,
  found: { stores: readonly Store[]; judged: readonly JudgedSource[]; findings: readonly Finding[] },
  given: Given,
  world: World,
): Promise<string> {
  const { tool, signal } = world;
  const how = { limits: limitsOf(given), policy: policyOf(given), now: world.now(), tool, signal };
  const status = await gatherStatus(found.stores, { ...found, ...how, redact: (text) => world.redact(text) });
  return world.writePage(path, statusPage(status), given.store);
}

/** Somebody may take them for the rules of a prune that never runs. */
export function refuseIdleKeepRules(given: Pick<Given, keyof typeof keepRules>, page: string | undefined): void {
  if (page !== undefined || policyOf(given) === undefined) return;
  throw new Failure('invalid-input', 'There are keep rules, and no status page that would show what they keep.', {
    hint: 'Give the path of a status page too, or leave the keep rules out; `prune` is what removes backups.',
  });
}

function limitsOf(given: Given): FreshnessLimits {
  return {
    maxAgeMs: given['max-age'],
    maxDrillAgeMs: given['max-drill-age'],
    minBytes: given['min-size'],
    maxDeviation: given['max-size-deviation'],
    minBackups: given['min-backups'],
  };
}

async function judgeSource(
  source: string,
  stores: readonly Store[],
  given: Given,
  world: World,
): Promise<JudgedSource> {
  const limits = limitsOf(given);
  const surveyed = await Promise.all(stores.map((store) => survey(store, source, given, world)));
  const surveys = surveyed.map((one) => one.survey).filter((one) => one !== undefined);
  const copies = judgeCopies(surveys);
  const rows = surveyed.map(({ location, survey, unknown }) => {
    const own = survey === undefined ? unknown : judgeFreshness(survey, limits, world.now());
    const findings = [...own, ...copies.filter(({ subject }) => subject === location)].map((one) => ({
      ...one,
      source,
    }));
    return { location, survey, findings, verdict: worst(findings) };
  });
  return { source, rows, findings: rows.flatMap(({ findings }) => findings) };
}

interface Surveyed {
  readonly location: string;
  readonly survey: SourceSurvey | undefined;
  readonly unknown: readonly Finding[];
}

async function survey(store: Store, source: string, given: Given, world: World): Promise<Surveyed> {
  const { location } = store;
  let read = 0;
  const options: SurveyOptions = {
    onBytes: (bytes) => {
      read += bytes;
    },
    now: world.now(),
    minBackups: given['min-backups'] ?? 0,
    maxDrillAgeMs: given['max-drill-age'],
    readData: given['read-data'],
    random: (below) => Number.parseInt(world.randomHex(6), 16) % below,
    signal: world.signal,
  };
  try {
    const reading = () => `${source} in ${location}: ${formatBytes(read)} read`;
    const found = await withTicker(world, reading, () => surveySource(store, source, options));
    world.log.info(`${source} in ${location}: looked at ${counted(found.backups.length, 'backup')}.`);
    return { location, survey: found, unknown: [] };
  } catch (error) {
    return { location, survey: undefined, unknown: [notReadable(location, error, source)] };
  }
}

/** Names to judge: those given, or all that any store holds; those expected in any case. */
async function listAll(stores: readonly Store[], given: Given): Promise<{ sources: string[]; findings: Finding[] }> {
  const isAll = given.source.length === 0 || given.source.includes('*');
  const names = new Set([...given.source.filter((name) => name !== '*'), ...given.expect]);
  const findings: Finding[] = [];
  for (const store of stores) {
    try {
      const found = isAll ? await listSources(store) : [];
      for (const name of found) names.add(name);
    } catch (error) {
      findings.push(notReadable(store.location, error));
    }
  }
  return { sources: [...names].toSorted(), findings };
}

function noSource(given: Given): Finding {
  return finding('backup-missing', 'fail', 'The stores hold no source at all.', {
    hint: `Check \`store\` (${given.store.map((url) => url.replace(/\?.*$/, '')).join(', ')}), or take a first backup.`,
  });
}

/** By what the bucket itself would take away of what was judged. */
async function judgeRules(store: Store, judged: readonly JudgedSource[], given: Given, now: Date): Promise<Finding[]> {
  const holdings = judged.flatMap(({ source, rows }) =>
    rows.flatMap(({ survey }) => (survey?.location === store.location ? [{ source, backups: survey.backups }] : [])),
  );
  const matters = { holdings, policy: policyOf(given), now, ifUnknown: 'pass' } as const;
  return judgeLifecycle(store.location, await readLifecycle(store), matters);
}

async function judgeWorkflows(given: z.output<typeof inputs>, world: World): Promise<Finding[]> {
  const { schedules: files, 'github-token': token } = given;
  if (files.length === 0) return [];
  const schedules = token ? await world.openSchedules(token) : undefined;
  if (schedules !== undefined) return await judgeSchedules(files, schedules, world.now());
  const hint = 'Give `github-token` in a workflow of the repository, or leave `schedules` empty.';
  return files.map((file) => unreadable(file, 'There is no token or no repository to ask.', hint));
}
