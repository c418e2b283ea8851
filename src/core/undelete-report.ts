import { counted } from './counted.ts';
import { Failure } from './failure.ts';
import { type BackupId, backupKey, MANIFEST } from './keys.ts';
import { notReadable } from './open-stores.ts';
import type { ObjectVersion, Store, World } from './ports.ts';
import { withProgress } from './progress.ts';
import { type Finding, finding } from './report.ts';
import { formatBytes } from './size.ts';
import { carryOutUndelete, planUndelete, type UndeletePlan } from './undelete.ts';

export interface Undeleting {
  readonly source: string;
  readonly id: BackupId;
  /** Undefined: what was written first. */
  readonly asOf: Date | undefined;
  readonly dryRun: boolean;
}

/** Makes one backup whole again in one store, or says why that cannot be. */
export async function undeleteIn(store: Store, asked: Undeleting, world: World): Promise<Finding[]> {
  try {
    if (!(await store.keepsVersions())) return [await withoutVersions(store, asked)];
    const plan = await lookForVersions(store, asked, world);
    if (plan === undefined) return [noManifest(store, asked)];
    if (plan.lost.length > 0) return plan.lost.map((name) => lostFinding(store, asked, name));
    for (const line of plan.steps.map((step) => describeStep(step, asked))) world.log.info(line);
    if (!asked.dryRun) await carryOutUndelete(store, plan, world.signal);
    return [backFinding(store, asked, plan)];
  } catch (error) {
    const isCorrupt = error instanceof Failure && error.code === 'artifact-corrupt';
    const { message, hint } = notReadable(store.location, error, `${asked.source}/${asked.id}`);
    const said = { subject: store.location, ...(hint !== undefined && { hint }) };
    return [finding('backup-undeleted', isCorrupt ? 'fail' : 'unknown', message, said)];
  }
}

async function lookForVersions(store: Store, asked: Undeleting, world: World): Promise<UndeletePlan | undefined> {
  let doneBytes = 0;
  const onBytes = (more: number) => {
    doneBytes += more;
  };
  const look = () => ({ doing: `reading versions in ${store.location}`, doneBytes, totalBytes: undefined });
  return withProgress(world, look, () => planUndelete(store, { ...asked, signal: world.signal, onBytes }));
}

function describeStep({ key, modifiedAt, bytes }: ObjectVersion, { dryRun }: Undeleting): string {
  return `${dryRun ? 'would bring back' : 'bringing back'} ${key} of ${modifiedAt.toISOString()}, ${formatBytes(bytes)}`;
}

function backFinding(store: Store, { dryRun }: Undeleting, { steps, manifest }: UndeletePlan): Finding {
  const artifacts = `${counted(manifest.artifacts.length, 'artifact')} matched size and SHA-256`;
  const did = dryRun ? 'would be brought back' : 'brought back';
  const message =
    steps.length === 0
      ? `It is whole here: ${artifacts}, and nothing had to be brought back.`
      : `${artifacts}, ${counted(steps.length, 'object')} ${did}.`;
  return finding('backup-undeleted', 'pass', message, {
    subject: store.location,
    numbers: { artifacts: manifest.artifacts.length, broughtBack: dryRun ? 0 : steps.length },
  });
}

const ELSEWHERE =
  'Nothing was changed here. Look for a whole copy in another store, and bring it here with `lifeboat copy`.';

function noManifest(store: Store, { asOf }: Undeleting): Finding {
  const when = asOf === undefined ? '' : ` of ${asOf.toISOString()}`;
  return finding('backup-undeleted', 'fail', `No version${when} of its manifest is left that can be read.`, {
    subject: store.location,
    hint: ELSEWHERE,
  });
}

function lostFinding(store: Store, { source, id }: Undeleting, name: string): Finding {
  const message = `No version of ${backupKey(source, id, name)} has the size and the SHA-256 of the manifest.`;
  return finding('backup-undeleted', 'fail', message, { subject: store.location, hint: ELSEWHERE });
}

/** There is nothing to bring back from; what it holds now is all it has. */
async function withoutVersions(store: Store, { source, id }: Undeleting): Promise<Finding> {
  const isThere = (await store.head(backupKey(source, id, MANIFEST))) !== undefined;
  const message = isThere
    ? 'This store keeps no versions; the backup has a manifest here, and nothing was done.'
    : 'This store keeps no versions: what was deleted in it is gone.';
  const hint = isThere
    ? '`lifeboat verify-freshness --read-data newest` or a drill tells whether its bytes are right.'
    : 'Take it from a snapshot of the disk, or from another store with `lifeboat copy`.';
  return finding('backup-undeleted', 'warn', message, { subject: store.location, hint });
}
