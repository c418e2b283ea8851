import { z } from 'zod';
import * as backup from '../actions/backup.ts';
import { examineAll } from '../actions/doctor.ts';
import * as prune from '../actions/prune.ts';
import { Failure } from '../core/failure.ts';
import { checkSourceName } from '../core/keys.ts';
import type { World } from '../core/ports.ts';
import { type Finding, type Report, report } from '../core/report.ts';
import { passwordSql, roleSql, urlForRole } from '../core/role-sql.ts';
import { bucketsOf, type Setup } from '../core/setup.ts';
import { type KeyFile, provideKey, refuseRepository } from '../core/setup-keys.ts';
import { describeFiles, nextSteps, planFiles, refuseLoss, setupFiles } from '../core/setup-plan.ts';
import { common } from '../github/inputs/every-action.ts';
import { keepRules } from '../github/inputs/keep-rules.ts';
import { flag, parseInputs, type RawInputs, shared, text, words } from '../github/inputs.ts';

export const description =
  'Asks a few questions, or takes flags, and writes what a source needs: workflows, the role of the database, bucket policy, lifecycle rule, age keys.';

const label = /^[\w.-]+$/;
const arn = /^arn:aws[\w-]*:iam::[\w-]*:(role|user)\/[\w+=,.@/-]+$/;
const cron = /^[\d*,/-]+( [\d*,/A-Za-z-]+){4}$/;
const MINE = 'arn:aws:iam::111122223333:role/lifeboat';

export const inputs = z.strictObject({
  source: shared.source.optional(),
  store: common.store.prefault(''),
  'database-url': backup.inputs.shape['database-url'],
  schedule: text('When backups are made, as a line of cron in UTC; best not at the full hour.')
    .refine((value) => cron.test(value), 'Use five fields such as `17 3 * * *`.')
    .prefault('17 3 * * *'),
  encrypt: flag('Encrypt backups with age: makes a key pair when `age-recipients` names none.').prefault('true'),
  'age-recipients': backup.inputs.shape['age-recipients'],
  'database-role': text('Role that backups connect as.').prefault('lifeboat'),
  'create-role': flag(
    'Create the role, as the administrator whose URL is given, with a password of chance; the URL of the role is written to a file in `secrets-dir`.',
  ).prefault('false'),
  principal: text(
    'ARN of the roles that the jobs have in a bucket, without the last word: they are `-backup`, `-read`, `-drill`, `-prune` and `-doctor`. With users in place of roles, their keys come from secrets.',
  )
    .refine((value) => arn.test(value), `Use an ARN such as \`${MINE}\` or \`arn:aws:iam:::user/lifeboat\`.`)
    .prefault(MINE),
  'runs-on': words('Labels of the runner, e.g. `self-hosted linux`.')
    .refine((labels) => labels.every((one) => label.test(one)), 'Use names of labels.')
    .prefault('self-hosted linux'),
  prune: flag(
    'Remove backups after the weekly drill; without keep rules 7 daily, 5 weekly and 12 monthly ones stay.',
  ).prefault('true'),
  ...keepRules,
  output: text('Folder of the repository that files are written to.').prefault('.'),
  'secrets-dir': text('Folder for secrets, outside of every repository.').prefault('~/.config/lifeboat'),
  force: flag('Write over files that are there and differ; never over a key.').prefault('false'),
  'dry-run': prune.inputs.shape['dry-run'],
  check: flag('Try afterwards what can be reached, as `doctor` does.').prefault('true'),
  'bin-dir': shared['bin-dir'].optional(),
  'tools-prefix': shared['tools-prefix'].optional(),
  'tools-host': shared['tools-host'].optional(),
  timeout: common.timeout,
  'stall-timeout': common['stall-timeout'],
});

type Given = z.output<typeof inputs>;

/** Plans every file, refuses to lose one, and only then writes; then tries what is there to be tried. */
export async function init(raw: RawInputs, world: World): Promise<Report> {
  const answered = await askWhatIsMissing(raw, world);
  const given = parseInputs(inputs, answered);
  const isDry = given['dry-run'];
  const source = checkSourceName(given.source ?? '');
  const secretPath = (name: string) => world.files.resolve(`${given['secrets-dir']}/${source}${name}`);
  const wanted = given.encrypt && given['age-recipients'].length === 0;
  const urlFile = given['create-role'] ? secretPath('-database-url') : undefined;
  if (urlFile !== undefined) await refuseRepository(urlFile, world.files);
  const setupWith = (recipients: readonly string[]) => setupOf(given, answered, recipients);
  const key = wanted ? await planKey(secretPath('.age-key'), given, setupWith, world) : undefined;
  const setup = setupWith(key?.recipients ?? (given.encrypt ? given['age-recipients'] : []));
  const planned = await planFiles(setupFiles(setup), given.output, world.files);
  if (!given.force && !isDry) refuseLoss(planned);
  const created = urlFile === undefined || isDry ? undefined : await createRole(setup, urlFile, given, world);
  for (const { target, text, state } of isDry ? [] : planned)
    if (state !== 'same') await world.files.write(target, text, { secret: false });
  const written = [...(key?.findings ?? []), ...describeFiles(planned, isDry)];
  const checks = isDry || !given.check ? undefined : await check(given, setup, { key, url: created }, world);
  const steps = nextSteps(setup, { keyFile: key?.path, urlFile: isDry ? undefined : urlFile });
  return describe(setup, { written, checks, steps, isDry });
}

/** Before the key is written it must be sure that everything else can be. */
async function planKey(
  path: string,
  given: Given,
  setupWith: (recipients: readonly string[]) => Setup,
  world: World,
): Promise<KeyFile> {
  const trial = await provideKey(path, true, world);
  const planned = await planFiles(setupFiles(setupWith(trial.recipients)), given.output, world.files);
  // A new key changes every workflow: one that is there belongs to another key.
  if (!given.force && !given['dry-run']) refuseLoss(planned);
  return given['dry-run'] ? trial : provideKey(path, false, world);
}

const QUESTIONS = [
  ['source', 'Name of the source, e.g. orders:'],
  ['store', 'Where backups go, e.g. s3://acme-backups/prod?region=eu-central-1 or file:///srv/backups:'],
  ['encrypt', 'Encrypt them with age? [yes]'],
  ['schedule', 'When, as cron in UTC? [17 3 * * *]'],
] as const;

async function askWhatIsMissing(raw: RawInputs, { ask }: World): Promise<RawInputs> {
  const needed = ['source', 'store'].filter((name) => (raw[name] ?? '') === '');
  if (needed.length === 0) return raw;
  if (ask === undefined) {
    throw new Failure(
      'invalid-input',
      `${needed.map((name) => `\`${name}\``).join(' and ')} must be given: nobody is here to be asked.`,
      {
        hint: 'Give them as flags, e.g. `lifeboat init --source orders --store s3://acme-backups/prod?region=eu-central-1`.',
      },
    );
  }
  const answers: Record<string, string> = {};
  for (const [name, question] of QUESTIONS) if ((raw[name] ?? '') === '') answers[name] = flagOf(await ask(question));
  return { ...raw, ...answers };
}

/** As people answer; what is neither is judged as any input. */
function flagOf(answer: string): string {
  if (/^(y|yes)$/i.test(answer)) return 'true';
  return /^(n|no)$/i.test(answer) ? 'false' : answer;
}

const USUAL = { 'keep-daily': '7', 'keep-weekly': '5', 'keep-monthly': '12' };

function setupOf(given: Given, raw: RawInputs, recipients: readonly string[]): Setup {
  const { source = '', store: stores, principal, schedule, prune: prunes } = given;
  const typed = Object.keys(keepRules).flatMap((name) =>
    name !== 'time-zone' && raw[name] ? [[name, raw[name]] as const] : [],
  );
  const keep = typed.length > 0 ? typed : Object.entries(USUAL);
  const regions = bucketsOf(stores).flatMap(({ parameters }) => parameters.get('region') ?? []);
  return {
    source,
    stores,
    region: regions[0] ?? 'us-east-1',
    recipients,
    principal,
    runsOn: given['runs-on'],
    schedule,
    keep: prunes ? keep : [],
    timeZone: given['time-zone'],
    role: given['database-role'],
  };
}

/** The URL of the role, which is in `urlFile` then; a file that is there is kept, with the password in it. */
async function createRole({ role }: Setup, urlFile: string, given: Given, world: World): Promise<string> {
  const { 'database-url': url } = given;
  if (url === undefined)
    throw new Failure('invalid-input', '`create-role` needs `database-url`, that of an administrator.', {
      hint: 'Give a file with it: `--database-url-file PATH`.',
    });
  const there = (await world.files.read(urlFile))?.trim();
  const password = world.randomHex(24);
  const own = there ?? urlForRole(url, role, password);
  const connection = { ...programsOf(given), url };
  const engine = await world.openEngine('postgresql');
  const setPassword = there === undefined ? [passwordSql(role, password, Buffer.from(world.randomHex(16), 'hex'))] : [];
  await engine.administer(connection, [roleSql(role), ...setPassword], world.signal);
  if (there === undefined) await world.files.write(urlFile, `${own}\n`, { secret: true });
  return own;
}

function programsOf({ 'bin-dir': binDir, 'tools-prefix': toolsPrefix, 'tools-host': toolsHost }: Given) {
  return {
    ...(binDir === undefined ? {} : { binDir }),
    ...(toolsPrefix === undefined ? {} : { toolsPrefix }),
    ...(toolsHost === undefined ? {} : { toolsHost }),
  };
}

/** What cannot be reached from here, or is only made by the next steps, is no failure of the setup. */
async function check(
  given: Given,
  setup: Setup,
  { key, url }: { key: KeyFile | undefined; url: string | undefined },
  world: World,
): Promise<Report> {
  const examined = await examineAll(
    {
      ...given,
      'database-url': url ?? given['database-url'],
      'age-recipients': [...setup.recipients],
      'age-identity': key?.identity,
      'scratch-dir': undefined,
      'github-token': undefined,
    },
    world,
  );
  const findings = examined.findings.map(
    (one): Finding => (one.status === 'pass' ? one : { ...one, status: 'warn', message: `Not yet: ${one.message}` }),
  );
  return { ...examined, findings };
}

function describe(
  { source, stores, recipients }: Setup,
  found: { written: readonly Finding[]; checks: Report | undefined; steps: readonly string[]; isDry: boolean },
): Report {
  const { written, checks, steps, isDry } = found;
  const columns = [{ name: '#', numeric: true }, { name: 'Next step' }];
  const rows = steps.map((step, index) => [String(index + 1), step]);
  const headline = [
    { name: 'Stores', value: stores.map((store) => store.replace(/\?.*$/, '')).join(', ') },
    {
      name: 'Encrypted to',
      value: recipients.length === 0 ? 'nobody: backups are not encrypted' : recipients.join(', '),
    },
    ...(checks?.headline ?? []),
  ];
  const tables = [{ title: 'What to do next', columns, rows }, ...(checks?.tables ?? [])];
  return report(`${isDry ? 'Plan to set up' : 'Setup of'} ${source}`, [...written, ...(checks?.findings ?? [])], {
    headline,
    tables,
    sources: [source],
  });
}
