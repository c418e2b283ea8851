import type { TableFact } from '../../core/facts.ts';
import { Failure } from '../../core/failure.ts';
import type { Connection, Loaded, LoadRequest, ScratchRequest } from '../../core/ports.ts';
import { chooseTables, type TableChoice } from '../../core/table-choice.ts';
import { makeDatabase } from './build-database.ts';
import { type Crossing, copyRows, copySchema } from './load-across.ts';
import { listChoosable } from './load-choosable.ts';
import { countArrived, countIn, expectedOf, isSame } from './load-counts.ts';
import { movedName, moveTables, readNeeded } from './load-move.ts';
import { keysNotHeld, readSequences, type SequencePlan, setForward, viewsToRefresh } from './load-rows.ts';
import {
  checkSchema,
  checkTables,
  checkTriggers,
  type LoadTarget,
  named,
  readPublications,
  refuseMissing,
} from './load-target.ts';
import { inOrder, type Restored, sqlFor } from './merge-sql.ts';
import { anyClient, type Client } from './programs.ts';
import { type PartlyRestored, restoreDefinitions } from './restore-partly.ts';
import { type ConnectedContext, type OwnServer, restoreOwnRoles, withOwnServer } from './scratch.ts';
import { literal, openSession, type Session } from './session.ts';
import { readShapes, type TableShape } from './table-shapes.ts';

/**
 * Restores tables in a scratch server, compares them there with the facts, and writes them into the target in one
 * transaction. What cannot end well is refused before the rows are fetched.
 *
 * @throws {Failure} `guard-refused` and `invalid-input` with nothing written; `restore-failed` when the scratch server
 *                   or the target did not take it: nothing was written then either
 */
export async function loadTables(request: LoadRequest, context: ConnectedContext): Promise<Loaded> {
  const { target, signal, intoSchema } = request;
  const client = await anyClient(target, context.env);
  const session = await context.connections.open(client, { applicationName: 'lifeboat', signal }, signal);
  try {
    const { database, major } = await session.one<{ database: string; major: number }>(
      `SELECT current_database() AS database, current_setting('server_version_num')::int / 10000 AS major`,
    );
    const live = { session, database, major, client, connection: target };
    const schemaExists = intoSchema === undefined ? false : await checkSchema(live, intoSchema, request.role);
    request.onStep('starting the scratch server');
    return await withOwnServer(scratchRequest(request), context, (own) =>
      loadFrom({ request, own, live, schemaExists, env: context.env }),
    );
  } finally {
    await session.close();
  }
}

function scratchRequest(request: LoadRequest): ScratchRequest {
  const { manifest, facts, scratch, restoreId, signal } = request;
  return { ...scratch, manifest, facts, drillId: restoreId, signal };
}

interface Live extends LoadTarget {
  readonly client: Client;
  readonly connection: Connection;
  readonly major: number;
}

interface Load {
  readonly request: LoadRequest;
  readonly own: OwnServer;
  readonly live: Live;
  readonly schemaExists: boolean;
  readonly env: NodeJS.ProcessEnv;
}

async function loadFrom(load: Load): Promise<Loaded> {
  const { request, own } = load;
  const { client, database, signal } = own.target;
  request.onStep('restoring into scratch');
  await restoreOwnRoles(own.target, request.open);
  await makeDatabase(own.target, { comment: own.mark, explicitLocale: false });
  const restored = await restoreDefinitions(own.target, request.open);
  const scratch = await openSession(client, { applicationName: 'lifeboat', database, signal });
  try {
    const choice = chooseTables(request.tables, await listChoosable(scratch, request.facts, restored));
    if (choice.leaves.length === 0) throw nothingToLoad(request);
    const found = { choice, scratch, restored, shapes: await readShapes(scratch, choice.all) };
    return request.intoSchema === undefined
      ? await loadRows(load, found)
      : await loadBeside(load, found, request.intoSchema);
  } finally {
    await scratch.close();
  }
}

interface Found {
  readonly choice: TableChoice;
  /** A session in the restored database. */
  readonly scratch: Session;
  readonly restored: PartlyRestored;
  readonly shapes: ReadonlyMap<string, TableShape>;
}

function nothingToLoad({ manifest }: LoadRequest): Failure {
  return new Failure('guard-refused', `The backup ${manifest.id} holds rows of no table.`, {
    hint: 'Choose another backup: `lifeboat list` shows them with their scope.',
  });
}

async function loadBeside(load: Load, found: Found, schema: string): Promise<Loaded> {
  const { request, live, schemaExists } = load;
  const { choice, scratch, restored } = found;
  await refuseClashes(scratch, choice, schema);
  await refuseMissing(live, await readNeeded(scratch, choice));
  const counted = await restoreChecked(load, found);
  // Once more, since keys and indexes are there only now.
  await refuseMissing(live, await readNeeded(scratch, choice));
  const restoredShapes = await readShapes(scratch, choice.roots);
  const moved = await moveTables(scratch, choice, schema);
  request.onStep('writing into the target');
  await copySchema(crossing(load), schema, schemaExists);
  request.onStep('counting');
  const into = (name: string) => movedName(name, schema);
  const arrived = await countArrived(live.session, choice.leaves.map(into), request);
  const shapes = await readShapes(live.session, choice.roots);
  const tables = choice.roots.flatMap((name): Restored[] => {
    const shape = restoredShapes.get(name);
    return shape === undefined ? [] : [{ name, into: into(name), shape, live: shapes.get(name) }];
  });
  return {
    ...describe(load, found, { counted: counted.facts, arrived, into }),
    leftOut: [
      ...describeLeftOut(found),
      ...counted.keys.map((key) => `foreign key ${key}`),
      ...moved,
      'triggers, rules, policies, grants and owners of the tables',
    ],
    warnings: [...largeObjects(restored, found), ...(await readPublications(live, []))],
    sql: inOrder(tables).map(sqlFor),
  };
}

/** Two names that become one, and a schema that the backup has itself: types and functions of it would be mixed up. */
async function refuseClashes(session: Session, choice: TableChoice, schema: string): Promise<void> {
  const { taken } = await session.one<{ taken: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = ${literal(schema)}) AS taken`,
  );
  if (taken)
    throw new Failure('guard-refused', `The backup holds a schema named ${schema} itself.`, {
      hint: 'Name with `into-schema` a schema that neither the backup nor the target knows, e.g. `restored`.',
    });
  const names = choice.all.map((name) => movedName(name, schema));
  const twice = choice.all.filter((_, at) => names.indexOf(names[at] ?? '') !== names.lastIndexOf(names[at] ?? ''));
  if (twice.length === 0) return;
  throw new Failure('guard-refused', `These tables would have one name in ${schema}: ${named(twice)}.`, {
    hint: 'Name each with its schema in `tables`, and restore them one by one, each with an `into-schema` of its own.',
  });
}

async function loadRows(load: Load, found: Found): Promise<Loaded> {
  const { request, live } = load;
  const { choice, scratch, restored, shapes } = found;
  await checkTables(live, choice, shapes);
  const rest = await checkTriggers(live, choice.leaves);
  const counted = await restoreChecked(load, found);
  const sequences = await readSequences(scratch, live.session, {
    all: request.tables.length === 0,
    leaves: choice.leaves,
  });
  request.onStep('writing into the target');
  await copyRows(crossing(load), {
    tables: choice.leaves,
    sequences: sequences.own,
    without: sequences.shared.map(({ name }) => name),
    rest,
  });
  await setForward(live.session, sequences.shared);
  request.onStep('counting');
  const arrived = await countArrived(live.session, choice.leaves, request);
  return {
    ...describe(load, found, { counted: counted.facts, arrived, into: (name) => name }),
    leftOut: describeLeftOut(found),
    warnings: [
      ...largeObjects(restored, found),
      ...describeSequences(sequences),
      ...(rest ? await keysNotHeld(live.session, choice.leaves) : []),
      ...(await viewsToRefresh(live.session)),
      ...(await readPublications(live, choice.leaves)),
    ],
    sql: [],
  };
}

function describeSequences({ shared, missing }: SequencePlan): string[] {
  return [
    ...shared.map(({ name }) => `Other tables take numbers from ${name} too: it was set forward, not back.`),
    ...missing.map((name) => `The sequence ${name} is missing in the target: nothing was set.`),
  ];
}

/** @returns what the tables held in the scratch server, and foreign keys of them that were left out there */
async function restoreChecked(load: Load, found: Found): Promise<{ facts: TableFact[]; keys: string[] }> {
  const { request } = load;
  const { choice, scratch, restored } = found;
  const keys = await restored.restoreRows(choice.leaves);
  const facts = await countIn(scratch, choice.leaves, request);
  const wrong = facts.flatMap((one) => {
    const expected = expectedOf(request, one.name);
    if (expected === undefined || isSame(expected, one)) return [];
    return [
      `${one.name}: expected ${expected.rows} rows, found ${one.rows}${expected.rows === one.rows ? ' with other values' : ''}`,
    ];
  });
  if (wrong.length > 0)
    throw new Failure(
      'restore-failed',
      `The restored tables are not what they were in the snapshot: ${named(wrong)}.`,
      {
        hint: 'Nothing was written. Restore from another backup, and drill this one.',
      },
    );
  return { facts, keys: keys.filter((key) => choice.all.some((name) => key.startsWith(`${name} `))) };
}

function describe(
  { request, own }: Load,
  { choice }: Found,
  given: { counted: readonly TableFact[]; arrived: readonly TableFact[]; into(name: string): string },
): Pick<Loaded, 'tables' | 'scratch'> {
  const arrived = new Map(given.arrived.map((one) => [one.name, one]));
  return {
    scratch: { version: own.version, notIsolated: own.notIsolated },
    tables: choice.leaves.map((from) => {
      const into = given.into(from);
      const expected = expectedOf(request, from) ?? given.counted.find(({ name }) => name === from);
      return { from, into, expected, arrived: arrived.get(into) ?? { name: into, rows: 0 } };
    }),
  };
}

function describeLeftOut({ choice }: Found): string[] {
  return choice.passedOver.map((name) => `${name}: the backup holds no rows of it`);
}

function largeObjects(restored: PartlyRestored, { choice, shapes }: Found): string[] {
  if (!restored.hasLargeObjects) return [];
  const columns = choice.all.flatMap((name) =>
    (shapes.get(name)?.columns ?? [])
      .filter(({ type }) => /(^|\.)(oid|lo)$/.test(type))
      .map((column) => `${name}.${column.name}`),
  );
  if (columns.length === 0) return [];
  return [`Large objects do not come along with single tables; these columns may name some: ${named(columns)}.`];
}

function crossing({ own, live, request, env }: Load): Crossing {
  const { client, database, signal } = own.target;
  const { encoding } = request.manifest.server;
  return { from: { client, database, encoding }, to: live, role: request.role, env, signal };
}
