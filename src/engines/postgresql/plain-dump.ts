import type { DumpLocale } from '../../core/adopt-port.ts';
import { LineCutter } from '../../sys/line-cutter.ts';

/** What the lines of a plain dump tell. */
export interface PlainFacts {
  /** Begins as pg_dump's do. */
  isDump: boolean;
  /** Begins as pg_dumpall's do. */
  isCluster: boolean;
  /** Holds the line that pg_dump writes last: without it, rows may be missing and nothing would say so. */
  isComplete: boolean;
  server: string | undefined;
  client: string | undefined;
  database: string | undefined;
  encoding: string | undefined;
  locale: DumpLocale | undefined;
  readonly roles: Set<string>;
  objects: number;
}

const IDENT = '"(?:[^"]|"")*"|[^\\s",;()]+';
const END = '-- PostgreSQL database dump complete';
/** Only in the head, before anything was created: further down it could be part of a text. */
const HEAD = /^(|--.*|SET .*|SELECT pg_catalog\.set_config\(.*|\\.*|(CREATE|ALTER|DROP|COMMENT ON) DATABASE .*)$/;
const OWNER = new RegExp(`^ALTER .* OWNER TO (${IDENT});$`);
const GRANT = new RegExp(`^(?:GRANT|REVOKE) .* (?:TO|FROM) (${IDENT})(?: WITH GRANT OPTION)?;$`);
const DEFAULTS = new RegExp(
  `^ALTER DEFAULT PRIVILEGES FOR ROLE (${IDENT}) .*? (?:TO|FROM) (${IDENT})(?: WITH GRANT OPTION)?;$`,
);
const POLICY = new RegExp(`^CREATE POLICY .* TO ((?:${IDENT})(?:, (?:${IDENT}))*)(?: USING .*| WITH CHECK .*|;)$`);
const MAPPING = new RegExp(`^CREATE USER MAPPING FOR (${IDENT}) `);
const MADE_DATABASE = new RegExp(`^CREATE DATABASE (${IDENT}) WITH TEMPLATE = template0 (.*);$`);
/** No role of the dump: every server has them, or they are no names. */
const NO_ROLE = /^(PUBLIC|CURRENT_USER|SESSION_USER|pg_.*)$/;

export function newPlainFacts(): PlainFacts {
  return {
    ...{ isDump: false, isCluster: false, isComplete: false, objects: 0 },
    ...{ server: undefined, client: undefined, database: undefined, encoding: undefined, locale: undefined },
    roles: new Set(),
  };
}

/** Reads what one line outside of rows tells. `isHead`: nothing was created before it. */
export function readLine(line: string, isHead: boolean, facts: PlainFacts): void {
  if (isHead) readHeadLine(line, facts);
  if (line === END) facts.isComplete = true;
  if (line.startsWith('CREATE ')) facts.objects += 1;
  for (const name of rolesOf(line)) facts.roles.add(name);
}

function readHeadLine(line: string, facts: PlainFacts): void {
  if (line === '-- PostgreSQL database dump') facts.isDump = true;
  if (line === '-- PostgreSQL database cluster dump') facts.isCluster = true;
  facts.server ??= /^-- Dumped from database version (\S+)/.exec(line)?.[1];
  facts.client ??= /^-- Dumped by pg_dump version (\S+)/.exec(line)?.[1];
  facts.encoding ??= /^SET client_encoding = '(\w+)';$/.exec(line)?.[1];
  const [, name, options = ''] = MADE_DATABASE.exec(line) ?? [];
  if (name === undefined) return;
  facts.database ??= nameOf(name);
  facts.locale ??= localeOf(options);
}

/** `ENCODING = 'UTF8' LOCALE_PROVIDER = libc LC_COLLATE = 'C' LC_CTYPE = 'de_DE.UTF-8'`, or one LOCALE for both. */
function localeOf(options: string): DumpLocale | undefined {
  const value = (name: string) => new RegExp(`(?:^| )${name} = '([^']*)'`).exec(options)?.[1];
  const both = value('LOCALE');
  const [collate, ctype] = [value('LC_COLLATE') ?? both, value('LC_CTYPE') ?? both];
  if (collate === undefined || ctype === undefined) return undefined;
  const provider = /LOCALE_PROVIDER = (libc|icu|builtin)/.exec(options)?.[1] as DumpLocale['provider'] | undefined;
  const icuLocale = value('ICU_LOCALE') ?? value('BUILTIN_LOCALE');
  return { provider: provider ?? 'libc', collate, ctype, ...(icuLocale !== undefined && { icuLocale }) };
}

function rolesOf(line: string): string[] {
  const [, maker, grantee] = DEFAULTS.exec(line) ?? [];
  const list = POLICY.exec(line)?.[1];
  const listed = list === undefined ? [] : [...list.matchAll(new RegExp(IDENT, 'g'))].map(([name]) => name);
  const one = OWNER.exec(line)?.[1] ?? GRANT.exec(line)?.[1] ?? MAPPING.exec(line)?.[1];
  const written = maker === undefined ? [one, ...listed] : [maker, grantee];
  return written.flatMap((name) => (name === undefined || NO_ROLE.test(name) ? [] : nameOf(name)));
}

function nameOf(written: string): string {
  return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
}

/** First letters of the lines that are looked at; rows as INSERT are not, of which there may be millions. */
const LOOKED_AT = new Set([...'\\-ACDGRS\r'].map((letter) => letter.charCodeAt(0)));

export interface LineLook {
  /** Nothing was created before this line. */
  readonly isHead: boolean;
  /** After pg_dump's last line. */
  readonly isTail: boolean;
}

/**
 * Cuts a plain dump into lines and shows those outside of rows that matter.
 *
 * @param drops says of a line whether it is left out of what `take` gives back
 */
export function plainDumpReader(drops: (line: string, look: LineLook) => boolean): LineCutter {
  const state = { isInRows: false, isHead: true, isTail: false };
  const judge = (line: string): boolean => {
    state.isHead &&= HEAD.test(line);
    const isOut = drops(line, state);
    if (/^COPY .* FROM stdin;$/.test(line)) state.isInRows = true;
    if (line === END) state.isTail = true;
    return isOut;
  };
  return new LineCutter((line) => {
    if (state.isInRows) {
      if (line.length <= 3 && line.toString('latin1').trimEnd() === '\\.') state.isInRows = false;
      return false;
    }
    if (line.length === 0 || LOOKED_AT.has(line[0] ?? 0)) return judge(line.toString('utf8').replace(/\r$/, ''));
    state.isHead = false;
    return false;
  });
}
