import { z } from 'zod';
import { Failure } from '../core/failure.ts';
import { sourcesOfDeleted } from '../core/lost-backups.ts';
import { withStores } from '../core/open-stores.ts';
import type { Store, World } from '../core/ports.ts';
import { finding, type Report, report } from '../core/report.ts';
import { undeleteIn } from '../core/undelete-report.ts';
import { asOf, id, looking } from '../github/inputs/catalog.ts';
import { flag, parseInputs, type RawInputs } from '../github/inputs.ts';

export const description =
  'Brings a backup back that was deleted or written over in a bucket that keeps versions: every artifact checked, the manifest last.';

export const positional = ['id'];

export const inputs = z.strictObject({
  id,
  ...looking,
  'as-of': asOf,
  'dry-run': flag('Show the plan and do nothing.').prefault('false'),
});

/** Each store by itself: what one of them has lost for good may be whole in another. */
export async function undelete(raw: RawInputs, world: World): Promise<Report> {
  const given = parseInputs(inputs, raw);
  return withStores(world, given.store, async ({ stores, findings }) => {
    const source = given.source ?? (await findSource(stores, given.id));
    const all = [...findings];
    const request = { source, id: given.id, asOf: given['as-of'], dryRun: given['dry-run'] };
    for (const store of stores) all.push(...(await undeleteIn(store, request, world)));
    const isBack = all.some(({ rule, status }) => rule === 'backup-undeleted' && status === 'pass');
    if (!isBack && all.every(({ status }) => status === 'pass' || status === 'warn')) {
      all.push(finding('backup-undeleted', 'fail', 'No store could bring it back.'));
    }
    const next = `lifeboat restore-drill --source ${source} --backup ${given.id}`;
    const headline = isBack && !given['dry-run'] ? [{ name: 'Prove it', value: next }] : [];
    const title = `${given['dry-run'] ? 'Plan to bring back' : 'Bringing back'} ${source}/${given.id}`;
    return report(title, all, { headline, sources: [source] });
  });
}

async function findSource(stores: readonly Store[], wanted: string): Promise<string> {
  const names = new Set((await Promise.all(stores.map((store) => sourcesOfDeleted(store, wanted)))).flat());
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    throw new Failure('invalid-input', `${wanted} is a backup of ${[...names].join(' and of ')}.`, {
      hint: 'Say with `source` which one is meant.',
    });
  }
  throw new Failure('backup-not-found', `No store has a version of anything under ${wanted}.`, {
    hint: 'Only a bucket that keeps versions can bring back what was deleted. `lifeboat list --deleted` shows what there is; a snapshot of the disk, or another store, may hold it.',
  });
}
