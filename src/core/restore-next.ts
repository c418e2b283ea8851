import { quoteName, quoteWord } from './restore-names.ts';
import type { RestorePlan } from './restore-plan.ts';
import type { RestoreAsked } from './restore-request.ts';
import type { Situation } from './restore-situation.ts';

/** A line to type, and what it is for. */
export interface NextCommand {
  readonly to: string;
  readonly command: string;
}

/** How the target's server and the stores are reached from a terminal. */
export interface Reach {
  /** `psql` with its words for host, port, user and, at its end, a database that is not the target; none is a secret. */
  readonly psql: string;
  readonly stores: readonly string[];
  /** Words that `lifeboat restore` needs beside: where programs are, `--age-identity-file FILE`. */
  readonly words: readonly string[];
}

/** Of a connection string what says how the connection is secured, and the variables that say the same. */
const SECURING: Readonly<Record<string, string>> = {
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslcrl: 'PGSSLCRL',
  channel_binding: 'PGCHANNELBINDING',
  gssencmode: 'PGGSSENCMODE',
};

/**
 * What psql needs to reach a server; a password comes from PGPASSWORD, ~/.pgpass or a service file.
 *
 * @param prefix words in front of psql, which then finds its server by itself
 * @param url that of the target, for how its connection is to be secured
 */
export function psqlWords(
  { host, port, database }: { readonly host: string; readonly port: number | null; readonly database: string },
  user: string,
  { prefix = [], url = '' }: { readonly prefix?: readonly string[] | undefined; readonly url?: string } = {},
): string {
  // A database cannot be renamed from within.
  const home = database === 'postgres' ? 'template1' : 'postgres';
  // Behind a prefix the address is another one, and psql there finds its server by itself.
  const address = prefix.length > 0 ? [] : ['-h', host, ...(port === null ? [] : ['-p', String(port)])];
  const words = [...prefix, 'psql', ...address, '-U', user, '-d', home].map(quoteWord);
  return [...(prefix.length > 0 ? [] : securing(url)), ...words].join(' ');
}

function securing(url: string): string[] {
  // Not with URLSearchParams, to which `+` is a space.
  const parts = (url.split('?')[1] ?? '').split('&').map((part) => part.split('='));
  return parts.flatMap(([name = '', value = '']) => {
    const variable = SECURING[name];
    return variable === undefined ? [] : [`${variable}=${quoteWord(decodeURIComponent(value))}`];
  });
}

/** What can be typed in the end, the most urgent first. */
export function nextCommands(
  situation: Situation,
  asked: RestoreAsked,
  plan: RestorePlan,
  reach: Reach,
): NextCommand[] {
  return [
    ...around(placing(situation, plan, reach), situation, asked),
    ...lostTarget(situation, plan, reach),
    ...application(situation, asked),
    ...turningBack(situation, plan, reach),
    ...clearing(situation, plan, reach),
  ];
}

function placing({ restored, target }: Situation, plan: RestorePlan, { psql }: Reach): NextCommand[] {
  if (restored === undefined) return [];
  const { name } = restored;
  const look = {
    to: `look into ${name}`,
    command: psql.replace(/ -d \S+$/, () => ` -d ${quoteWord(databaseWord(name))}`),
  };
  const isSound = restored.state === 'sound';
  const put = { to: `put ${name} in the place of ${plan.target}${isSound ? '' : ' all the same'}`, command: '' };
  if (target === 'as it was')
    return [...(isSound ? [] : [look]), { ...put, command: swapLine(psql, name, plan.target, plan.names.old) }];
  return [look, { ...put, command: renameLine(psql, name, plan.target) }];
}

/** psql takes what has a `=` in it, or begins like a URL, for a connection string. */
function databaseWord(name: string): string {
  if (!name.includes('=') && !/^postgres(ql)?:\/\//.test(name)) return name;
  return `dbname='${name.replaceAll(/[\\']/g, '\\$&')}'`;
}

/** What is swapped by hand is swapped while the application stands. */
function around(
  placed: NextCommand[],
  { restored, failedAt }: Situation,
  { before, after }: RestoreAsked,
): NextCommand[] {
  if (restored === undefined || failedAt !== undefined) return placed;
  const named = (to: string, command: string | undefined) => (command === undefined ? [] : [{ to, command }]);
  return [
    ...named('stop the application (`before`)', before),
    ...placed,
    ...named('start the application again (`after`)', after),
  ];
}

/** After `drop-first` only the backup of the target has what was there. */
function lostTarget({ target, safety }: Situation, plan: RestorePlan, reach: Reach): NextCommand[] {
  if (target !== 'dropped' || safety === undefined) return [];
  return [{ to: `bring back what was in ${plan.target}`, command: restoreLine(safety, reach) }];
}

function restoreLine({ source, id }: { source: string; id: string }, { stores, words: more }: Reach): string {
  const words = [
    'lifeboat',
    'restore',
    '--source',
    source,
    '--backup',
    id,
    ...stores.flatMap((url) => ['--store', url]),
    ...more,
  ];
  return `${words.map(quoteWord).join(' ')} --target-url-file FILE`;
}

function application({ application: state }: Situation, { after }: RestoreAsked): NextCommand[] {
  if (state !== 'stopped' && state !== 'unknown') return [];
  if (after !== undefined) return [{ to: 'start the application again (`after`)', command: after }];
  return [{ to: 'start the application again', command: 'what `before` stopped, by hand' }];
}

function turningBack({ target, old, safety, failedAt }: Situation, plan: RestorePlan, reach: Reach): NextCommand[] {
  if (target !== 'restored' || failedAt === undefined || failedAt === 'drop the old database') return [];
  if (old !== undefined)
    return [
      {
        to: `go back to what was in ${plan.target} before`,
        command: swapLine(reach.psql, old, plan.target, plan.names.restored),
      },
    ];
  if (safety === undefined) return [];
  return [
    {
      to: `go back to what was in ${plan.target} before`,
      command: `${restoreLine(safety, reach)} --swap --confirm ${quoteWord(plan.target)}`,
    },
  ];
}

function clearing({ old, restored, failedAt }: Situation, { target }: RestorePlan, { psql }: Reach): NextCommand[] {
  const gone = [
    ...(old === undefined
      ? []
      : [{ name: old, when: failedAt === 'drop the old database' ? '' : `, once ${target} is seen to be right` }]),
    ...(restored === undefined ? [] : [{ name: restored.name, when: ', when it is not wanted' }]),
  ];
  return gone.map(({ name, when }) => ({ to: `drop ${name}${when}`, command: dropLine(psql, name) }));
}

function line(psql: string, statements: readonly string[]): string {
  return `${psql} -v ON_ERROR_STOP=1 ${statements.map((sql) => `-c ${quoteWord(sql)}`).join(' ')}`;
}

/**
 * Both renames in one `-c`, which psql sends as one transaction. Where somebody connects again in between, the rename
 * waits five seconds, fails, and has changed nothing: the line can be typed again.
 */
export function swapLine(psql: string, restored: string, target: string, old: string): string {
  const place = quoteName(target);
  return line(psql, [
    endConnections([target, restored]),
    `ALTER DATABASE ${place} RENAME TO ${quoteName(old)}; ALTER DATABASE ${quoteName(restored)} RENAME TO ${place}`,
    unmark(target),
  ]);
}

function renameLine(psql: string, restored: string, target: string): string {
  const place = quoteName(target);
  return line(psql, [
    endConnections([restored]),
    `ALTER DATABASE ${quoteName(restored)} RENAME TO ${place}`,
    unmark(target),
  ]);
}

/** What a restore wrote there says that the database is not in its place. */
function unmark(name: string): string {
  return `COMMENT ON DATABASE ${quoteName(name)} IS NULL`;
}

export function dropLine(psql: string, name: string): string {
  return line(psql, [endConnections([name]), `DROP DATABASE ${quoteName(name)}`]);
}

function endConnections(names: readonly string[]): string {
  // In single quotes of a shell, `$$` is read more easily than quotes.
  const list = names.map((name) => (name.includes('$') ? `'${name.replaceAll("'", "''")}'` : `$$${name}$$`)).join(', ');
  return `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (${list})`;
}
