/** A table's name as the catalog holds it. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

const QUALIFIED = /^("(?:[^"]|"")*"|[^".]+)\.("(?:[^"]|"")*"|[^".]+)$/su;

/** Takes `"My Schema".orders`, as facts write names, apart. */
export function splitName(qualified: string): TableName {
  const [, schema = '', table = ''] = QUALIFIED.exec(qualified) ?? [];
  return { schema: unquote(schema), table: unquote(table) };
}

function unquote(written: string): string {
  return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
}
