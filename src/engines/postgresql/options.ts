import type { Environment } from '../../sys/environment.ts';

/** Settings by name. */
export type Options = Readonly<Record<string, string>>;

/** A setting of our own that tells whether what a connection asks for at its start arrives at a server: a pooler leaves it out. */
export const ARRIVED = 'lifeboat.arrived';

/**
 * What roles and databases set by ALTER … SET and what would end or bend a program of ours before it can say SET
 * itself. Not the search path: each program sets it, and assertions see the database's own.
 */
const UNHINDERED: Options = {
  [ARRIVED]: 'on',
  default_transaction_read_only: 'off',
  default_transaction_isolation: 'read committed',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  row_security: 'off',
};

/** @param major undefined: of a server that nobody has asked yet, which would refuse settings it does not know */
export function unhindered(major: number | undefined): Options {
  return {
    ...UNHINDERED,
    ...(major !== undefined && major >= 14 && { idle_session_timeout: '0' }),
    ...(major !== undefined && major >= 17 && { transaction_timeout: '0' }),
  };
}

/** The same for sessions in a restored database, where settings of its roles must not bend anything either. */
const SHIELD: Options = {
  role: 'none',
  local_preload_libraries: '',
  client_min_messages: 'warning',
};

/**
 * Options of everything we run in a restored database. A login trigger would lock us out (17 on).
 *
 * @param superuser others may not set all of it, and may restore nothing that needs it either
 */
export function shielded(major: number, superuser = true): Options {
  const guarded = { session_preload_libraries: '', ...(major >= 17 && { event_triggers: 'off' }) };
  return { ...unhindered(major), ...SHIELD, ...(superuser && guarded) };
}

/** As PGOPTIONS has them, behind what was given before: the last word holds. */
export function optionsText(before: string, options: Options): string {
  const words = Object.entries(options).map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, '\\$&')}`);
  return [before, ...words].join(' ').trim();
}

/** In the connection string, where `options` holds in place of PGOPTIONS. */
export function withOptions(dsn: string, before: string, options: Options): string {
  const given = optionsIn(dsn);
  const bare = dsn.replaceAll(/(?<=[?&])options=[^&]*&?/g, '').replace(/[?&]$/, '');
  return `${bare}${bare.includes('?') ? '&' : '?'}options=${encodeURIComponent(optionsText(given ?? before, options))}`;
}

/** What a connection string says itself; undefined: nothing. The last one holds. */
export function optionsIn(dsn: string): string | undefined {
  const given = [...dsn.matchAll(/[?&]options=([^&]*)/g)].at(-1)?.[1];
  return given === undefined ? undefined : decodeURIComponent(given);
}

export function optionsEnvironment(before: string, options: Options): Environment {
  return { PGOPTIONS: optionsText(before, options) };
}
