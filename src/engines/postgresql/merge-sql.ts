import type { TableSql } from '../../core/load-port.ts';
import { splitName } from '../../core/table-name.ts';
import type { ColumnShape, TableShape } from './table-shapes.ts';
import { visibleIdentifier as identifier, visibleLiteral as literal, visibleName } from './visible-sql.ts';

/** A table as it was restored, and the live one of the same name. */
export interface Restored {
  /** Its live name, as facts write it. */
  readonly name: string;
  /** Name under which it was restored. */
  readonly into: string;
  /** Of the restored one. */
  readonly shape: TableShape;
  readonly live: TableShape | undefined;
}

/** SQL that shows how a restored table and the live one differ, and SQL that puts back what is missing. */
export function sqlFor(given: Restored): TableSql {
  const restored = { ...given, name: visibleName(given.name), into: visibleName(given.into) };
  const { name, live } = restored;
  if (live === undefined)
    return { table: given.name, ...sqlForMissing(restored, identifier(splitName(given.name).schema)) };
  const pair = pairOf(restored, live);
  const noted = pair.notes.map(comment).join('');
  if (pair.columns.length === 0) {
    const nothing = `${comment(`${name} and ${restored.into} have no column in common.`)}${noted}`;
    return { table: given.name, differences: nothing, merge: nothing };
  }
  const { differences, merge } = pair.key.length > 0 ? byKey(pair) : byRow(pair);
  return {
    table: given.name,
    differences: `${noted}${differences}`,
    merge: `${noted}${merge}${sequencesOf(pair, live)}`,
  };
}

/** Statements of all tables, those first that others refer to. */
export function inOrder(tables: readonly Restored[]): Restored[] {
  const done = new Set<string>();
  const ordered: Restored[] = [];
  const visit = (one: Restored) => {
    if (done.has(one.name)) return;
    done.add(one.name); // before those it needs: a circle of keys has no order anyhow
    for (const needed of one.live?.references ?? []) {
      const other = tables.find(({ name }) => name === needed);
      if (other !== undefined) visit(other);
    }
    ordered.push(one);
  };
  for (const one of tables) visit(one);
  return ordered;
}

interface Pair {
  readonly name: string;
  readonly live: string;
  readonly restored: string;
  /** In both, without generated ones: those follow from the others. */
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly overriding: string;
  /** A column of a restored row, as what the live column holds. */
  asLive(alias: string, column: string): string;
  /** Columns that an UPDATE may set. */
  readonly settable: readonly string[];
  readonly notes: readonly string[];
}

function pairOf({ name, into, shape }: Restored, live: TableShape): Pair {
  const there = new Map(live.columns.map((column) => [column.name, column]));
  const here = new Map(shape.columns.map((column) => [column.name, column]));
  const isPlain = (column: ColumnShape | undefined) => column !== undefined && !column.generated;
  const columns = shape.columns.filter((one) => isPlain(one) && isPlain(there.get(one.name))).map((one) => one.name);
  const isSameKey = shape.key.length > 0 && shape.key.every((column) => columns.includes(column));
  const key = isSameKey && live.key.toSorted().join() === shape.key.toSorted().join() ? shape.key : [];
  return {
    ...{ name, live: only(live, name), restored: only(shape, into), columns, key },
    overriding: columns.some((column) => there.get(column)?.identity) ? ' OVERRIDING SYSTEM VALUE' : '',
    asLive: (alias, column) => {
      const type = there.get(column)?.type;
      const cast = type === undefined || type === here.get(column)?.type ? '' : `::${type}`;
      return `${alias}.${identifier(column)}${cast}`;
    },
    settable: columns.filter((column) => !key.includes(column) && !there.get(column)?.identity),
    notes: notesOn(shape, live),
  };
}

/** `ONLY` for an ordinary table: rows of its children are theirs. Of a partitioned one it would be nothing. */
function only(shape: TableShape, name: string): string {
  return shape.partitioned ? name : `ONLY ${name}`;
}

function notesOn(shape: TableShape, live: TableShape): string[] {
  const names = (columns: readonly ColumnShape[]) => columns.map((one) => one.name);
  const gone = names(shape.columns).filter((column) => !names(live.columns).includes(column));
  const fresh = live.columns.filter((column) => !names(shape.columns).includes(column.name));
  const needed = fresh.filter((one) => one.notNull && !one.hasDefault && !one.identity && !one.generated);
  return [
    ...(gone.length === 0 ? [] : [`The live table has no column ${gone.join(', ')}: left out.`]),
    ...(fresh.length === 0 ? [] : [`Only the live table has ${names(fresh).join(', ')}: not compared.`]),
    ...(needed.length === 0 ? [] : [`Rows that are inserted need a value for ${names(needed).join(', ')}: add one.`]),
  ];
}

function byKey(pair: Pair): Pick<TableSql, 'differences' | 'merge'> {
  const { columns, key, live, restored, asLive, name } = pair;
  const same = key.map((column) => `l.${identifier(column)} = ${asLive('r', column)}`).join(' AND ');
  const changed = `${rowOf(pair, 'l')} IS DISTINCT FROM ${rowOf(pair, 'r')}`;
  const sets = pair.settable.map((column) => `${identifier(column)} = ${asLive('r', column)}`);
  const both = key.map((column) => `l.${identifier(column)}`).join(', ');
  const update = `UPDATE ${live} AS l SET ${sets.join(', ')}\nFROM ${restored} AS r\nWHERE ${same} AND ${changed};\n`;
  return {
    differences: [
      `${comment(`${name}: rows of the backup that are missing live`)}SELECT ${list(columns, 'r')} FROM ${restored} AS r\nWHERE NOT EXISTS (SELECT FROM ${live} AS l WHERE ${same});\n`,
      `${comment(`${name}: rows that are only live`)}SELECT ${list(columns, 'l')} FROM ${live} AS l\nWHERE NOT EXISTS (SELECT FROM ${restored} AS r WHERE ${same});\n`,
      `${comment(`${name}: rows that differ, as they are live and as the backup has them`)}SELECT ${both}, ${rowOf(pair, 'l')} AS live, ${rowOf(pair, 'r')} AS restored\nFROM ${live} AS l JOIN ${restored} AS r ON ${same}\nWHERE ${changed};\n`,
    ].join(''),
    merge: [
      `${comment(`${name}: put back rows that are missing live`)}INSERT INTO ${name} (${list(columns)})${pair.overriding}\nSELECT ${columns.map((column) => asLive('r', column)).join(', ')} FROM ${restored} AS r\nWHERE NOT EXISTS (SELECT FROM ${live} AS l WHERE ${same})\nON CONFLICT DO NOTHING;\n`,
      ...(sets.length === 0
        ? []
        : [comment(`${name}: give rows that differ the values of the backup; this undoes what was changed since`)]),
      ...(sets.length === 0 ? [] : [commentedOut(update)]),
    ].join(''),
  };
}

/** Without a key rows are told apart by all they hold, and equal ones counted. */
function byRow(pair: Pair): Pick<TableSql, 'differences' | 'merge'> {
  const { columns, live, restored, asLive, name } = pair;
  const texts = (side: 'l' | 'r', from: string) => `SELECT ${rowOf(pair, side)} FROM ${from} AS ${side}`;
  const minus = (first: string, second: string) => `${first}\nEXCEPT ALL\n${second};\n`;
  const [ofLive, ofRestored] = [texts('l', live), texts('r', restored)];
  const numbered = `SELECT ${list(columns, 'r')}, ${rowOf(pair, 'r')} AS "lifeboat row",\n    row_number() OVER (PARTITION BY ${rowOf(pair, 'r')}) AS "lifeboat number" FROM ${restored} AS r`;
  const counted = `SELECT ${rowOf(pair, 'l')} AS "lifeboat row", count(*) AS "lifeboat count" FROM ${live} AS l GROUP BY 1`;
  return {
    differences: [
      comment(`${name} has no primary key: rows are compared by all they hold.`),
      `${comment(`${name}: rows of the backup that are missing live`)}${minus(ofRestored, ofLive)}`,
      `${comment(`${name}: rows that are only live`)}${minus(ofLive, ofRestored)}`,
    ].join(''),
    merge: `${comment(`${name}: put back rows that are missing live, as often as they are missing`)}INSERT INTO ${name} (${list(columns)})${pair.overriding}\nSELECT ${columns.map((column) => asLive('r', column)).join(', ')}\nFROM (${numbered}) AS r\nLEFT JOIN (${counted}) AS l USING ("lifeboat row")\nWHERE r."lifeboat number" > coalesce(l."lifeboat count", 0)\nON CONFLICT DO NOTHING;\n`,
  };
}

/** As text, since not every type can be compared; a row of one NULL is not one of an empty text. */
function rowOf({ columns, asLive }: Pair, alias: 'l' | 'r'): string {
  const values = columns.map((column) => (alias === 'r' ? asLive('r', column) : `l.${identifier(column)}`));
  return `ROW(${values.join(', ')})::text`;
}

function list(columns: readonly string[], alias?: string): string {
  return columns.map((column) => (alias === undefined ? '' : `${alias}.`) + identifier(column)).join(', ');
}

/** Behind the newest row, and never back: other rows may have taken numbers meanwhile. */
function sequencesOf({ live, columns }: Pair, { sequences }: TableShape): string {
  return sequences
    .filter(({ column }) => columns.includes(column))
    .map(({ column, sequence, ascending }) => {
      const [most, further] = ascending ? ['max', 'GREATEST'] : ['min', 'LEAST'];
      const furthest = `(SELECT ${most}(${identifier(column)}) FROM ${live})`;
      const text = comment(`${visibleName(sequence)}: behind the rows that were put back`);
      return `${text}SELECT pg_catalog.setval(${literal(sequence)}, ${further}(${furthest}, last_value)) FROM ${visibleName(sequence)}\nWHERE ${furthest} IS NOT NULL;\n`;
    })
    .join('');
}

function sqlForMissing({ name, into }: Restored, schema: string): Pick<TableSql, 'differences' | 'merge'> {
  return {
    differences: `${comment(`${name} is not there live: every row of the backup is missing.`)}SELECT count(*) FROM ${into};\n`,
    merge: `${comment(`${name} is not there live: move it to its place. Foreign keys, triggers, policies and grants are not on it.`)}${commentedOut(`CREATE SCHEMA IF NOT EXISTS ${schema};\nALTER TABLE ${into} SET SCHEMA ${schema};\n`)}`,
  };
}

/** A name in it may hold line ends, behind which a comment would be over. */
function comment(text: string): string {
  return `-- ${text.replaceAll(/[\p{C}\u2028\u2029]+/gu, ' ')}\n`;
}

/** Without the marks it is the statement again. */
function commentedOut(sql: string): string {
  return `-- ${sql.trimEnd().replaceAll(/\r\n|\n|\r/g, '$&-- ')}\n`;
}
