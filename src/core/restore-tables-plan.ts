import { counted } from './counted.ts';
import { bytesOf } from './drill-fetch.ts';
import type { Facts } from './facts.ts';
import { Failure } from './failure.ts';
import { type Finding, finding } from './report.ts';
import { judgeMade, judgeProof } from './restore-fitness.ts';
import { LONGEST_NAME } from './restore-names.ts';
import type { RestoreAsked, RestoreKnown } from './restore-request.ts';
import { formatBytes } from './size.ts';
import { refuseUnknownTables } from './table-choice.ts';

/** Single tables beside the live ones, or rows into live tables. */
export interface TablesAsked extends RestoreAsked {
  /** Names as the user wrote them; none: all. */
  readonly tables: readonly string[];
  /** Undefined: rows go into the tables that are there. */
  readonly intoSchema: string | undefined;
}

export interface TablesPlan {
  readonly findings: readonly Finding[];
  readonly isRefused: boolean;
  readonly steps: readonly string[];
}

/**
 * Decides what is restored and whether it may be. Changes nothing and asks nobody.
 *
 * @param facts of the snapshot; undefined when the backup was made without
 * @throws {Failure} `invalid-input` for a name that the backup does not know
 */
export function planTables(asked: TablesAsked, known: RestoreKnown, facts: Facts | undefined): TablesPlan {
  if (facts !== undefined) refuseUnknownTables(asked.tables, namesIn(facts));
  if (asked.intoSchema !== undefined) refuseSchema(asked.intoSchema, facts);
  const findings = [
    ...judgeDatabase(known),
    ...judgeConfirm(asked, known),
    ...judgeRows(known),
    ...judgeProof({ asked, known, way: 'beside' }),
    ...judgeMade({ asked, known, way: 'beside' }),
  ];
  const isRefused = findings.some(({ status }) => status === 'fail' || status === 'unknown');
  return { findings, isRefused, steps: stepsOf(asked, known) };
}

const NAMED_KINDS = new Set(['table', 'view', 'materialized-view', 'foreign-table']);

function namesIn({ tables, schema }: Facts): string[] {
  const others = schema.filter(({ kind }) => NAMED_KINDS.has(kind)).map(({ identity }) => identity);
  return [...new Set([...tables.map(({ name }) => name), ...others])];
}

function refuseSchema(schema: string, facts: Facts | undefined): void {
  const refuse = (why: string) => {
    throw new Failure('invalid-input', `\`into-schema\` cannot be "${schema}": ${why}.`, {
      hint: 'Name a schema that neither the backup nor the target knows, e.g. `restored`.',
    });
  };
  if (schema === '' || schema.includes('\0')) refuse('that is no name');
  if (Buffer.byteLength(schema) > LONGEST_NAME) refuse(`a name has at most ${LONGEST_NAME} bytes`);
  if (/^pg_/.test(schema) || schema === 'information_schema') refuse('that name is reserved for the server');
  const written = `"${schema.replaceAll('"', '""')}"`;
  const own = facts?.schema.some(({ kind, identity }) => kind === 'schema' && [schema, written].includes(identity));
  if (own === true) refuse('the backup holds a schema of that name itself');
}

function judgeDatabase({ state, target, manifest }: RestoreKnown): Finding[] {
  const refuse = (message: string, hint: string) => [
    finding('target-server', 'fail', message, { subject: state.location, hint }),
  ];
  if (state.database === undefined)
    return refuse(
      `There is no database ${target}: nothing that tables could be put beside or rows into.`,
      'Correct the database in `target-url`, or restore all of the backup: leave `tables` and `data-only` out.',
    );
  if (state.server.major < manifest.server.major)
    return refuse(
      `The target's server is PostgreSQL ${state.server.version}, and the backup comes from ${manifest.server.version}.`,
      `Restore into a server of major version ${manifest.server.major} or newer: an older one does not understand the dump.`,
    );
  if (state.server.standby)
    return refuse('The target is a standby, which takes no writes.', 'Give the URL of its primary.');
  const message = `PostgreSQL ${state.server.version} takes a backup of ${manifest.server.version}.`;
  return [finding('target-server', 'pass', message, { subject: state.location })];
}

function judgeConfirm({ confirm, dryRun }: TablesAsked, { target }: RestoreKnown): Finding[] {
  if (confirm === target) return [finding('restore-confirm', 'pass', `\`confirm\` names the target, ${target}.`)];
  const hint = `When that is where you want them, give \`confirm: ${target}\`.`;
  if (confirm !== undefined)
    return [finding('restore-confirm', 'fail', `\`confirm\` is "${confirm}", and the target is ${target}.`, { hint })];
  const message = `${target} would be written into, and \`confirm\` does not name it.`;
  return [finding('restore-confirm', dryRun ? 'warn' : 'fail', message, { hint })];
}

function judgeRows({ manifest }: RestoreKnown): Finding[] {
  if (manifest.scope !== 'schema') return [];
  return [
    finding('left-out', 'fail', `${manifest.id} holds no rows: it was made with \`schema-only\`.`, {
      hint: 'Choose a backup with rows: `lifeboat list` shows what each holds.',
    }),
  ];
}

function stepsOf({ tables, intoSchema }: TablesAsked, { manifest, target }: RestoreKnown): string[] {
  const what = tables.length === 0 ? 'all tables' : `${counted(tables.length, 'line')} of \`tables\``;
  const size = formatBytes(bytesOf(manifest));
  const scratch = `Restores the definitions of ${manifest.id} in a scratch server, and of its rows (${size} stored) those of ${what}`;
  if (intoSchema === undefined)
    return [
      `${scratch}, once ${target} is seen to have these tables, empty and with the same columns`,
      'Compares them there with the facts of the snapshot',
      `Writes the rows into the tables of ${target}, in one transaction, and sets sequences`,
      'Counts what arrived',
    ];
  return [
    `${scratch}, once ${target} is seen to have the types and functions that they use`,
    'Compares them there with the facts of the snapshot, and moves them into a schema of their own',
    `Writes the schema ${intoSchema} into ${target}, in one transaction; nothing that is there is touched`,
    'Counts what arrived, and prints the SQL that shows differences and merges',
  ];
}
