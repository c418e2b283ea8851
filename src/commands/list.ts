import { z } from 'zod';
import { listSource } from '../core/catalog-rows.ts';
import { catalogReport } from '../core/catalog-table.ts';
import { Failure } from '../core/failure.ts';
import { isSourceName } from '../core/keys.ts';
import { deletedReport, listDeleted } from '../core/list-deleted.ts';
import { notReadable, withStores } from '../core/open-stores.ts';
import type { Store, World } from '../core/ports.ts';
import { type Finding, finding, type Report } from '../core/report.ts';
import { storeAt } from '../core/versions.ts';
import { asOf, looking } from '../github/inputs/catalog.ts';
import { countOrAll, flag, parseInputs, type RawInputs } from '../github/inputs.ts';

export const description =
  'Lists the backups of every source and store: age, size, proven or not, pinned, and what a restore needs.';

export const inputs = z.strictObject({
  ...looking,
  limit: countOrAll('How many backups of each source, the newest first; `all` for every one.').prefault('20'),
  deleted: flag('Lists what was deleted or written over, and what of it can be brought back.').prefault('false'),
  'as-of': asOf,
});

type Given = z.output<typeof inputs>;

/** Shows what there is, was, or was taken away. It judges nothing but whether all of it could be read. */
export async function list(raw: RawInputs, world: World): Promise<Report> {
  const given = parseInputs(inputs, raw);
  const { deleted, 'as-of': moment } = given;
  if (deleted && moment !== undefined) {
    throw new Failure('invalid-input', '`deleted` and `as-of` ask different questions.', {
      hint: '`--deleted` compares with what was written first, `--as-of` shows the store as it was. Give one of them.',
    });
  }
  return withStores(world, given.store, async ({ stores, findings }) => {
    const around = [...findings];
    const isPast = deleted || moment !== undefined;
    const asked = await each(stores, around, (store) => (isPast ? versioned(store) : store));
    const sources = await sourcesOf(asked, given, around);
    if (deleted) return deletedReport(await listDeleted(asked, sources, given.limit, world), around, world.now());
    const seen =
      moment === undefined
        ? asked
        : await each(asked, around, (store) => storeAt(store, sources, moment, world.signal));
    const options = { limit: given.limit, now: moment ?? world.now(), signal: world.signal };
    const listed = [];
    for (const source of sources) listed.push(await listSource(seen, source, options));
    return catalogReport(listed, seen, { around, now: options.now, isPast, source: given.source });
  });
}

/** What a store cannot be asked becomes a finding; the others still answer. */
async function each(
  stores: readonly Store[],
  around: Finding[],
  ask: (store: Store) => Store | Finding | Promise<Store | Finding>,
): Promise<Store[]> {
  const answers: Store[] = [];
  for (const store of stores) {
    try {
      const answer = await ask(store);
      if ('rule' in answer) around.push(answer);
      else answers.push(answer);
    } catch (error) {
      around.push(notReadable(store.location, error));
    }
  }
  return answers;
}

async function versioned(store: Store): Promise<Store | Finding> {
  if (await store.keepsVersions()) return store;
  return finding('store-readable', 'unknown', 'This store keeps no versions: it cannot tell of the past.', {
    subject: store.location,
    hint: 'Look into a bucket that keeps versions, or into a snapshot of the file system or disk.',
  });
}

async function sourcesOf(stores: readonly Store[], given: Given, around: Finding[]): Promise<string[]> {
  if (given.source !== undefined) return [given.source];
  const names = new Set<string>();
  const deleted = given.deleted || given['as-of'] !== undefined;
  await each(stores, around, async (store) => {
    for (const name of await store.listFolders({ deleted })) if (isSourceName(name)) names.add(name);
    return store;
  });
  return [...names].toSorted();
}
