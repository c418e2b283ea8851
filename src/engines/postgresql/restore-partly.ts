import { Failure } from '../../core/failure.ts';
import type { Artifact, Manifest } from '../../core/manifest.ts';
import { unzstdCommand } from '../../sys/zstd.ts';
import { type ArchiveEntry, listName, readHead } from './archive-list.ts';
import { type OpenArtifact, type RestoreTarget, readLists, runPhase } from './restore.ts';
import { explainStep } from './restore-failure.ts';
import { type ListedStep, useList } from './restore-keys.ts';
import type { Step } from './restore-plan.ts';
import { restoreArguments } from './restore-spooled.ts';

/** A backup whose definitions are restored first and by themselves, so that it can be chosen whose rows follow. */
export interface PartlyRestored {
  /** Whether the backup holds rows of this table, by its name as facts write it. */
  holdsRows(table: string): boolean;
  readonly hasLargeObjects: boolean;
  /**
   * Restores rows of these tables, then indexes, keys and checks. Triggers, rules and policies are left out, and
   * with them whatever else would run on what is done next.
   *
   * @returns foreign keys that were left out, as `public.orders orders_customer_fkey (into public.customers)`
   */
  restoreRows(tables: readonly string[]): Promise<string[]>;
}

/** What would act on rows or hide them, fill itself from tables that stay empty, or hold rows of nobody. */
const LEFT_OUT =
  /^(TRIGGER|EVENT TRIGGER|RULE|POLICY|ROW SECURITY|PUBLICATION|PUBLICATION TABLE|PUBLICATION TABLES IN SCHEMA|MATERIALIZED VIEW DATA|BLOB|BLOBS|BLOB METADATA) /;
const BLOB = /^BLOBS? /;

/**
 * Restores the definitions into an empty database.
 *
 * Only the head of each archive is read for it; that its bytes are what they were turns out with the rows.
 */
export async function restoreDefinitions(target: RestoreTarget, open: OpenArtifact): Promise<PartlyRestored> {
  const { definitions, rows } = planParts(target.manifest);
  const artifacts = [...definitions, ...rows.flat()].map(({ artifact }) => artifact);
  const lists = await readLists(target, artifacts, open);
  for (const { artifact } of definitions) await restoreHead(target, artifact, { lists, open });
  const all = [...lists.values()].flat();
  const data = all.filter(({ what }) => what.startsWith('TABLE DATA '));
  const ofTable = (name: string) => `TABLE DATA ${listName(name)} `;
  return {
    holdsRows: (table) => data.some(({ what }) => what.startsWith(ofTable(table))),
    hasLargeObjects: all.some(({ what }) => BLOB.test(what)),
    restoreRows: async (tables) => {
      const wanted = tables.map(ofTable);
      const isWanted = ({ what }: ArchiveEntry) =>
        what.startsWith('TABLE DATA ') ? wanted.some((start) => what.startsWith(start)) : !LEFT_OUT.test(what);
      return restoreWanted(target, { rows, lists, isWanted, open });
    },
  };
}

/** Of a whole archive the two halves are restored one after the other. */
function planParts({ artifacts, id }: Manifest): { definitions: Step[]; rows: Step[][] } {
  const archives = artifacts.filter(({ format }) => format === 'pg_dump-custom');
  const steps = (roles: readonly string[], sections: Step['sections']) =>
    archives.filter(({ role }) => roles.includes(role)).map((artifact) => ({ artifact, sections }));
  const definitions = steps(['dump', 'pre-data', 'schema'], ['pre-data']);
  const rows = [
    steps(['dump'], ['data', 'post-data']),
    steps(['data'], []),
    steps(['schema', 'post-data'], ['post-data']),
  ];
  if (definitions.length > 0) return { definitions, rows: rows.filter((phase) => phase.length > 0) };
  throw new Failure('backup-invalid', `The manifest of ${id} names no archive of pg_dump with definitions.`);
}

interface Archives {
  readonly lists: ReadonlyMap<Artifact, ArchiveEntry[]>;
  readonly open: OpenArtifact;
}

async function restoreHead(target: RestoreTarget, artifact: Artifact, { lists, open }: Archives): Promise<void> {
  const { client, env, session, signal } = target;
  const list = await useList(target, { name: 'definitions.list', entries: lists.get(artifact) ?? [] });
  const args = restoreArguments(target, ['--section=pre-data', '--single-transaction', ...list]);
  const commands = [unzstdCommand(env), client.command('pg_restore', args, { LC_ALL: 'C' })];
  await readHead(commands, await open(artifact), signal).catch(async (error: unknown) => {
    throw await explainStep(error, artifact.key, session, 'own');
  });
}

async function restoreWanted(
  target: RestoreTarget,
  given: Archives & { rows: readonly Step[][]; isWanted(entry: ArchiveEntry): boolean },
): Promise<string[]> {
  const { rows, lists, isWanted, open } = given;
  const all = [...lists.values()].flat().filter(isWanted);
  const leftOut: string[] = [];
  for (const phase of rows) {
    const steps: ListedStep[] = phase.map((step) => {
      const entries = (lists.get(step.artifact) ?? []).filter(isWanted);
      return { ...step, entries, isPartial: true, all };
    });
    leftOut.push(...(await runPhase(target, steps, open)));
  }
  return leftOut;
}
