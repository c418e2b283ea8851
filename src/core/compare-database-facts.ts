import type { ComparisonGiven, Difference, Judgement } from './compare-facts.ts';
import { pair } from './compare-row-facts.ts';
import type { Facts, RoleFact } from './facts.ts';

const number = (value: number) => value.toLocaleString('en-US');

/** In every new database; a dump says nothing when the source dropped it. */
const ALWAYS_THERE = 'plpgsql';

/** A version proves nothing about the data: CREATE EXTENSION takes what the scratch server has. It is told. */
export function compareExtensions(expected: Facts, found: Facts): Judgement {
  const pairs = pair(expected.extensions, found.extensions);
  const differences = pairs.flatMap<Difference>((one) => {
    const [left, right] = [one.expected, one.found];
    const isExtra = left === undefined && one.name === ALWAYS_THERE;
    if (left?.schema === right?.schema || isExtra) return [];
    const where = (extension: { schema: string } | undefined) =>
      extension === undefined ? null : `in schema ${extension.schema}`;
    return [{ what: `extension ${one.name}`, expected: where(left), found: where(right) }];
  });
  const newer = pairs.flatMap(({ name, expected: left, found: right }) =>
    left === undefined || right === undefined || left.version === right.version
      ? []
      : [`${name} ${right.version} instead of ${left.version}`],
  );
  const extensions = expected.extensions.length;
  const versions = newer.length === 0 ? '' : `, with other versions: ${newer.join(', ')}`;
  const pass = `${number(extensions)} ${extensions === 1 ? 'extension is' : 'extensions are'} there${versions}.`;
  return { rule: 'facts-extensions', numbers: { extensions }, pass, differences };
}

/**
 * On a server of the drill's own, roles are exactly those of the source. On a foreign one they were
 * created only where missing, without login, and others live there: only a missing one is told.
 */
export function compareRoles(expected: Facts, found: Facts, given: ComparisonGiven): Judgement {
  const roles = expected.roles.length;
  const pairs = pair(expected.roles, found.roles);
  if (given.foreignServer === true) {
    const missing = pairs.filter((one) => one.found === undefined);
    const differences = missing.map(({ name }) => ({ what: `role ${name}`, expected: 'present', found: null }));
    const pass = `${number(roles)} roles are there; what they may do is the server's own and was not compared.`;
    return { rule: 'facts-roles', numbers: { roles }, pass, differences, severity: 'warn' };
  }
  const differences = pairs.flatMap<Difference>((one) =>
    isSameRole(one.expected, one.found)
      ? []
      : [{ what: `role ${one.name}`, expected: describeRole(one.expected), found: describeRole(one.found) }],
  );
  const pass = `${number(roles)} ${roles === 1 ? 'role has' : 'roles have'} the attributes, memberships and settings they had.`;
  return { rule: 'facts-roles', numbers: { roles }, pass, differences };
}

function splitSetting(setting: string): { variable: string; value: string } {
  const [variable = '', ...value] = setting.split('=');
  return { variable, value: value.join('=') };
}

/** Applications keep keys in variables of their own (`app.jwt_secret`), and findings end in issues. */
function shownValue(variable: string, value: string): string {
  return variable.includes('.') ? 'a value not shown here' : value;
}

function shownSetting(setting: string): string {
  const { variable, value } = splitSetting(setting);
  return `${variable}=${shownValue(variable, value)}`;
}

function isSameRole(a: RoleFact | undefined, b: RoleFact | undefined): boolean {
  const parts = (role: RoleFact | undefined) => role && [role.attributes, role.memberOf, role.settings];
  return JSON.stringify(parts(a)) === JSON.stringify(parts(b));
}

function describeRole(role: RoleFact | undefined): string | null {
  if (role === undefined) return null;
  const part = (word: string, items: readonly string[]) => (items.length === 0 ? [] : [`${word}${items.join(', ')}`]);
  const parts = [
    ...part('', role.attributes),
    ...part('member of ', role.memberOf),
    ...part('SET ', role.settings.map(shownSetting)),
  ];
  return parts.length === 0 ? 'no attributes' : parts.join('; ');
}

export function compareLargeObjects(expected: Facts, found: Facts): Judgement | undefined {
  const left = expected.largeObjects;
  if (left === null) return undefined;
  const right = found.largeObjects ?? { count: 0, bytes: 0 };
  const text = ({ count, bytes }: { count: number; bytes: number }) => `${number(count)} of ${number(bytes)} bytes`;
  const isEqual = left.count === right.count && left.bytes === right.bytes;
  const differences = isEqual ? [] : [{ what: 'large objects', expected: text(left), found: text(right) }];
  const pass = left.count === 0 ? 'There are no large objects.' : `Large objects are complete: ${text(left)}.`;
  return { rule: 'facts-large-objects', numbers: { count: left.count, bytes: left.bytes }, pass, differences };
}

/** A foreign server may lack the right, or the module, to take every setting. */
export function compareSettings(expected: Facts, found: Facts, given: ComparisonGiven): Judgement {
  const asPair = ({ role, setting }: Facts['settings'][number]) => {
    const { variable, value } = splitSetting(setting);
    return { name: `${variable}${role === null ? '' : ` of role ${role}`}`, value, shown: shownValue(variable, value) };
  };
  const pairs = pair(expected.settings.map(asPair), found.settings.map(asPair));
  const differences = pairs.flatMap<Difference>((one) =>
    one.expected?.value === one.found?.value
      ? []
      : [{ what: `setting ${one.name}`, expected: one.expected?.shown ?? null, found: one.found?.shown ?? null }],
  );
  const settings = expected.settings.length;
  const pass =
    settings === 0
      ? 'The database has no settings of its own.'
      : settings === 1
        ? '1 setting of the database is as it was.'
        : `${number(settings)} settings of the database are as they were.`;
  const severity = given.foreignServer === true ? 'warn' : 'fail';
  return { rule: 'facts-settings', numbers: { settings }, pass, differences, severity };
}

export function compareMigration(expected: Facts, found: Facts): Judgement | undefined {
  const left = expected.migration;
  if (left === null) return undefined;
  const right = found.migration;
  const isEqual = right !== null && right.table === left.table && right.newest === left.newest;
  const what = `newest migration in ${left.table} (${left.tool})`;
  const differences = isEqual ? [] : [{ what, expected: left.newest, found: right?.newest ?? null }];
  return {
    rule: 'facts-migration',
    numbers: {},
    pass: `The newest migration in ${left.table} (${left.tool}) is ${left.newest}, as it was.`,
    differences,
  };
}
