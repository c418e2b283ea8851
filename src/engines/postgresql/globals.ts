/** One statement of a globals file, and what is done with it. */
export interface GlobalStatement {
  readonly sql: string;
  /** Name of the role it creates. */
  readonly creates: string | undefined;
}

export interface GlobalsPlan {
  readonly run: readonly GlobalStatement[];
  /** Statements that are not run, and why. */
  readonly leftOut: readonly { readonly sql: string; readonly why: string }[];
}

/** A quoted or plain identifier as PostgreSQL's tools write them. */
export const NAME = '("[^"]*(?:""[^"]*)*"|[^\\s";]+)';
const CREATE_ROLE = new RegExp(`^CREATE ROLE ${NAME}$`);
const TABLESPACE = /^(CREATE|ALTER|DROP|COMMENT ON) TABLESPACE\b|^(GRANT|REVOKE)\b[^"']*\bON TABLESPACE\b/;
const ROLE_STATEMENT = /^(CREATE ROLE|ALTER ROLE|GRANT|REVOKE|COMMENT ON ROLE|ALTER DEFAULT|SET|SELECT)\b/;

/**
 * What of a `pg_dumpall --globals-only` text is run in a scratch server: all but the role that the
 * server was made with, tablespaces (there is one disk) and psql's own commands.
 */
export function planGlobals(text: string, bootstrapRole: string): GlobalsPlan {
  const run: GlobalStatement[] = [];
  const leftOut: { sql: string; why: string }[] = [];
  for (const sql of splitStatements(text)) {
    const creates = nameOf(CREATE_ROLE.exec(sql)?.[1]);
    if (creates === bootstrapRole) continue;
    if (TABLESPACE.test(sql)) leftOut.push({ sql, why: 'tablespaces stay with the old server' });
    else if (sql.startsWith('SECURITY LABEL')) leftOut.push({ sql, why: 'security labels need their provider' });
    else if (!ROLE_STATEMENT.test(sql)) leftOut.push({ sql, why: 'it is no statement about roles' });
    else run.push({ sql, creates });
  }
  return { run, leftOut };
}

/** The roles that a globals file creates, the bootstrap role among them. */
export function rolesIn(text: string): string[] {
  return splitStatements(text)
    .map((sql) => nameOf(CREATE_ROLE.exec(sql)?.[1]))
    .filter((name) => name !== undefined);
}

/** A name as an identifier says it. */
export function nameOf(written: string | undefined): string | undefined {
  return written?.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
}

/**
 * Statements without their semicolons. Comments go, and so do psql's commands (`\restrict`,
 * `\connect`): the text may come from anybody who can write to the store, and `\!` would run a shell
 * beside our secrets. Nothing of it ever reaches psql as a script.
 */
export function splitStatements(text: string): string[] {
  // Quoted text, an escape string, a comment, a psql command on its own line, the end, or anything else.
  // Not `(?:[^']|'')*`: it remembers every letter, and a comment of 16 MB ends in a stack overflow.
  const piece = /'[^']*(?:''[^']*)*'|"[^"]*(?:""[^"]*)*"|--[^\n]*|^\\[^\n]*|;|[^'";\\-]+|[\s\S]/gm;
  const statements: string[] = [];
  let sql = '';
  let isBlank = true;
  for (const [token] of withEscapeStrings(text).matchAll(piece)) {
    if (token === ';') {
      if (!isBlank) statements.push(sql.trim());
      sql = '';
      isBlank = true;
    } else if (!token.startsWith('--') && !(token.startsWith('\\') && isBlank)) {
      sql += token;
      isBlank &&= token.trim() === '';
    }
  }
  return isBlank ? statements : [...statements, sql.trim()];
}

/** `E'it\'s'` as `E'it''s'`: the backslash would hide where the text ends. Doubled ones stay as they are. */
function withEscapeStrings(text: string): string {
  return text.replace(/(?<![\w"'])E'[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*'/g, (whole) =>
    whole.replaceAll(/\\([\s\S])/g, keepEscape),
  );
}

function keepEscape(whole: string, escaped: string): string {
  return escaped === "'" ? "''" : whole;
}
