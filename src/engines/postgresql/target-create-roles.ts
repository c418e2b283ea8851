import type { Facts } from '../../core/facts.ts';
import { Failure } from '../../core/failure.ts';
import { type Finding, finding } from '../../core/report.ts';
import { NAME, nameOf, planGlobals } from './globals.ts';
import { setClause } from './restore-database.ts';
import { hidePassword, runVerbatim } from './restore-roles.ts';
import { joinRole, missingRoles } from './scratch-role.ts';
import { identifier } from './session.ts';
import type { Lent } from './target-lent.ts';
import { refusedAs } from './target-words.ts';

const GRANTED_BY = new RegExp(` GRANTED BY ${NAME}$`);
const SUBJECTS: readonly RegExp[] = [
  new RegExp(`^CREATE ROLE ${NAME}$`),
  new RegExp(`^ALTER ROLE ${NAME} (?:WITH|SET) `),
  new RegExp(`^COMMENT ON ROLE ${NAME} IS `),
];
const MEMBERSHIP = new RegExp(`^GRANT ${NAME} TO ${NAME}(?: WITH [A-Z, ]+)?$`);
const PARAMETER = new RegExp(`^GRANT [A-Z ,]+ ON PARAMETER \\S+ TO ${NAME}(?: WITH GRANT OPTION)?$`);
/** What only a superuser may say, also in the negative, which is how every new role is. */
const SUPERUSERS_WORDS = / (NO)?(SUPERUSER|REPLICATION|BYPASSRLS)(?= |$)/g;

/**
 * Creates the roles that the server lacks as the backup's globals say: attributes, passwords where there are any,
 * settings, memberships. Roles that are there keep all they have, and get no membership either.
 *
 * @param globals undefined when the backup has none: its facts then say all but passwords
 */
export async function createRoles(lent: Lent, globals: string | undefined): Promise<Finding[]> {
  const { session, request, context, user } = lent;
  const text = globals ?? factsAsGlobals(request.facts);
  const statements = planGlobals(text, '').run.map(({ sql }) => sql.replace(GRANTED_BY, ''));
  const named = statements.flatMap((sql) => nameOf(SUBJECTS[0]?.exec(sql)?.[1]) ?? []);
  const missing = new Set(await missingRoles(session, named));
  const failed: string[] = [];
  for (const sql of statements) {
    const subject = subjectOf(sql);
    if (subject === undefined || !missing.has(subject)) continue;
    if (sql.startsWith('CREATE ROLE ')) {
      const what = `The role ${subject} could not be created`;
      await refusedAs(
        runVerbatim(session, sql),
        what,
        'Create it by hand, or give in `target-url` a role with CREATEROLE.',
      );
      await joinRole(session, subject);
      context.log.info(`Created the role ${subject}.`);
    } else await runOrNote(lent, user.superuser ? sql : withoutSuperusersWords(sql, failed), failed);
  }
  return describe([...missing], failed);
}

/** The role that a statement changes: of a membership the member. */
function subjectOf(sql: string): string | undefined {
  for (const pattern of [...SUBJECTS, PARAMETER]) {
    const found = nameOf(pattern.exec(sql)?.[1]);
    if (found !== undefined) return found;
  }
  return nameOf(MEMBERSHIP.exec(sql)?.[2]);
}

function withoutSuperusersWords(sql: string, failed: string[]): string {
  const [, head = '', tail = ''] = /^(ALTER ROLE .*? WITH)( .*)$/s.exec(sql) ?? [];
  if (head === '') return sql;
  const at = tail.indexOf(" PASSWORD '");
  const [words, rest] = at === -1 ? [tail, ''] : [tail.slice(0, at), tail.slice(at)];
  const given = [...words.matchAll(SUPERUSERS_WORDS)].filter(([, no]) => no === undefined).map(([, , word]) => word);
  if (given.length > 0) failed.push(`${head} ${given.join(' ')}: only a superuser may`);
  return head + words.replaceAll(SUPERUSERS_WORDS, '') + rest;
}

async function runOrNote({ session }: Lent, sql: string, failed: string[]): Promise<void> {
  await runVerbatim(session, sql).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    failed.push(`${hidePassword(sql)}: ${error.message.split('\n')[0]}`);
  });
}

function describe(created: readonly string[], failed: readonly string[]): Finding[] {
  const numbers = { created: created.length };
  const made =
    created.length === 0
      ? 'No role of the backup was missing.'
      : `Created as the backup says, since they were missing: ${created.join(', ')}.`;
  if (failed.length === 0) return [finding('roles-restored', 'pass', made, { numbers })];
  const message = `${made} Of them ${failed.length} attributes or memberships could not be set: ${failed.slice(0, 5).join('; ')}`;
  const hint = 'Set them as a superuser.';
  return [finding('roles-restored', 'warn', message, { numbers, hint })];
}

/** For a backup that could not dump its globals: the same statements, without passwords. */
function factsAsGlobals(facts: Facts | undefined): string {
  const roles = facts?.roles ?? [];
  const lines = [
    ...roles.map(({ name }) => `CREATE ROLE ${identifier(name)}`),
    ...roles.flatMap(({ name, attributes }) =>
      attributes.length === 0 ? [] : [`ALTER ROLE ${identifier(name)} WITH ${attributes.map(written).join(' ')}`],
    ),
    ...roles.flatMap(({ name, settings }) => settings.map((one) => `ALTER ROLE ${identifier(name)} ${setClause(one)}`)),
    ...roles.flatMap(({ name, memberOf }) => memberOf.map((line) => membership(line, name))),
  ];
  return lines.map((line) => `${line};\n`).join('');
}

function written(attribute: string): string {
  return attribute.replace(/^VALID UNTIL (.*)$/, "VALID UNTIL '$1'");
}

/** `readers WITH ADMIN`; the words that 16 and later add are left out, since older servers know none of them. */
function membership(line: string, member: string): string {
  const [, group = line, options = ''] = /^(.*?)(?: WITH ([A-Z, ]+))?$/.exec(line) ?? [];
  const admin = options.split(', ').includes('ADMIN') ? ' WITH ADMIN OPTION' : '';
  return `GRANT ${identifier(group)} TO ${identifier(member)}${admin}`;
}
