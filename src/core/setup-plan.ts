import { bucketFiles } from './bucket-files.ts';
import { Failure } from './failure.ts';
import { type Finding, finding } from './report.ts';
import { roleFile } from './role-sql.ts';
import { bucketsOf, hasSessions, restoreSecretOf, type Setup, type SetupFile, urlSecretOf } from './setup.ts';
import { workflowFiles } from './workflow-files.ts';
import type { Files } from './workplace.ts';

/** What is to happen with one file. */
export interface PlannedFile extends SetupFile {
  /** Absolute. */
  readonly target: string;
  readonly state: 'new' | 'same' | 'different';
}

export function setupFiles(setup: Setup): SetupFile[] {
  return [...workflowFiles(setup), roleFile(setup.role), ...bucketFiles(setup)];
}

/** Compares with what is there; nothing is written. */
export async function planFiles(files: readonly SetupFile[], folder: string, disk: Files): Promise<PlannedFile[]> {
  return Promise.all(
    files.map(async (file) => {
      const target = disk.resolve(`${folder}/${file.path}`);
      const there = await disk.read(target);
      const state = there === undefined ? 'new' : there === file.text ? 'same' : 'different';
      return { ...file, target, state };
    }),
  );
}

/** All or nothing: half a setup is hard to tell from a whole one. */
export function refuseLoss(planned: readonly PlannedFile[]): void {
  const lost = planned.filter(({ state }) => state === 'different').map(({ target }) => target);
  if (lost.length === 0) return;
  throw new Failure('guard-refused', `There is something else already: ${lost.join(', ')}. Nothing was written.`, {
    hint: 'See with `--dry-run` what would be written. Move those files away, write elsewhere with `--output`, or write over them with `--force`.',
  });
}

/** One finding for each file. */
export function describeFiles(planned: readonly PlannedFile[], isDry: boolean): Finding[] {
  const words = {
    new: isDry ? 'would be written' : 'was written',
    same: 'is there as it should be',
    different: isDry ? 'would be written over' : 'was written over',
  };
  return planned.map(({ target, state, purpose }) =>
    finding('setup-written', 'pass', `${target} ${words[state]}: it ${purpose}.`, { subject: target }),
  );
}

export interface Circumstances {
  /** Where the secret key is; undefined when there is none of ours. */
  readonly keyFile: string | undefined;
  /** Where the URL of a role that was created is. */
  readonly urlFile: string | undefined;
}

/** What is left to people, in the order in which it works. */
export function nextSteps(setup: Setup, { keyFile, urlFile }: Circumstances): string[] {
  const secret = urlSecretOf(setup.source);
  const buckets = bucketsOf(setup.stores);
  return [
    ...(keyFile === undefined
      ? []
      : [`Copy ${keyFile} to two places that do not burn down together: without it nobody reads the backups.`]),
    ...databaseSteps(setup, secret, urlFile),
    ...(keyFile === undefined ? [] : [`gh secret set LIFEBOAT_AGE_IDENTITY < ${keyFile}`]),
    ...buckets.flatMap(({ name }) => bucketSteps(name, buckets.length > 1 ? `-${name}` : '')),
    ...(buckets.length > 0 && !hasSessions(setup)
      ? [
          'Set the secrets that hold the keys of each user: LIFEBOAT_BACKUP_KEY_ID, LIFEBOAT_BACKUP_SECRET_KEY, and so on for READ, DRILL, RESTORE, PRUNE, DOCTOR.',
        ]
      : []),
    ...setup.stores.flatMap((store) =>
      store.startsWith('file:') ? [`sudo install -d -o "$(id -un)" -m 0700 ${decodeURIComponent(store.slice(7))}`] : [],
    ),
    `For restores: an environment restore-${setup.source} with reviewers, in it ${restoreSecretOf(setup.source)} (a role that may create databases) and LIFEBOAT_AGE_IDENTITY; and in lifeboat-restore.yml what stops and starts the application.`,
    'git add .github/workflows/lifeboat-*.yml && git commit && git push',
    'gh workflow run lifeboat-doctor.yml, and when it is green: gh workflow run lifeboat-backup.yml',
  ];
}

function databaseSteps({ role }: Setup, secret: string, urlFile: string | undefined): string[] {
  if (urlFile !== undefined) return [`gh secret set ${secret} < ${urlFile}`];
  return [
    'psql -v ON_ERROR_STOP=1 -d <database> -f lifeboat/role.sql, as a superuser',
    `\\password ${role}, in the same psql`,
    `gh secret set ${secret}, e.g. postgresql://${role}:<password>@<host>:5432/<database>?sslmode=require`,
  ];
}

function bucketSteps(bucket: string, ending: string): string[] {
  return [
    `aws s3api put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled`,
    `aws s3api put-bucket-policy --bucket ${bucket} --policy file://lifeboat/bucket-policy${ending}.json`,
    `aws s3api put-bucket-lifecycle-configuration --bucket ${bucket} --lifecycle-configuration file://lifeboat/lifecycle${ending}.json`,
  ];
}
