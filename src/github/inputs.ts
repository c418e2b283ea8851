import { z } from 'zod';
import { parseCalendarDuration, parseDuration } from '../core/duration.ts';
import { Failure } from '../core/failure.ts';
import { checkSourceName } from '../core/keys.ts';
import { nearest } from '../core/nearest.ts';
import { parseSize } from '../core/size.ts';
import { splitWords } from '../core/words.ts';

/** Inputs as they were typed: kebab-case name to text. What was left empty is absent. */
export type RawInputs = Readonly<Record<string, string>>;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface InputMeta {
  /** Never printed, registered as a mask, refused as a flag of the command line. */
  readonly secret?: boolean;
  /** May come from `LIFEBOAT_<INPUT>`; `none` in the step then switches it off. */
  readonly env?: boolean;
  /** Takes several values, one a line; a flag of the command line may be repeated. */
  readonly many?: boolean;
  /** An expression that stands as `default:` in action.yml, where only the runner can know the value. */
  readonly actionDefault?: string;
  /** The input still works for one major version; says what to use instead. */
  readonly deprecationMessage?: string;
}

// Building blocks. Each takes text and gives a value; `.optional()` and `.prefault('text')` go behind
// it. The schema is what action.yml and the README tables are generated from, so the description is
// a sentence for users (Markdown) without the default, which the generator adds.
//
// Not z.coerce: Number('') is 0 and Boolean('false') is true, so an input left empty would become
// "keep 0 backups" and `dry-run: false` would mean true.

export const text = (description: string, meta: InputMeta = {}) => described(z.string(), description, meta);

/** Values one a line; white space around them and empty lines do not count. */
export const lines = (description: string, meta: InputMeta = {}) =>
  described(z.string().transform(splitLines), description, meta, { many: true });

export const flag = (description: string, meta: InputMeta = {}) =>
  described(z.stringbool({ truthy: ['true'], falsy: ['false'], error: 'Use `true` or `false`.' }), description, meta, {
    flag: true,
  });

export const count = (description: string, meta: InputMeta = {}) => parsed(parseCount, description, meta);

/** A whole number, or `all` as Infinity. */
export const countOrAll = (description: string, meta: InputMeta = {}) =>
  parsed((value) => (value === 'all' ? Number.POSITIVE_INFINITY : parseCount(value, ', or `all`')), description, meta);

/** Milliseconds, from `least` to the longest that a timer can wait. */
export const duration = (description: string, meta: InputMeta = {}, least = 0) =>
  parsed((value) => parseWait(value, least), description, meta);

/** Milliseconds; for an age or a date, which no timer waits for. */
export const timespan = (description: string, meta: InputMeta = {}, least = 0) =>
  parsed((value) => atLeast(parseDuration(value), value, least), description, meta);

export const calendarDuration = (description: string, meta: InputMeta = {}) =>
  parsed(parseCalendarDuration, description, meta);

/** Bytes. */
export const size = (description: string, meta: InputMeta = {}) => parsed(parseSize, description, meta);

/** A percentage as a fraction: `20%` is 0.2. May be above 1 unless `max` says otherwise. */
export const share = (description: string, meta: InputMeta = {}, max = Number.POSITIVE_INFINITY) =>
  parsed((value) => parseShare(value, max), description, meta);

export const choice = <const T extends readonly [string, ...string[]]>(
  values: T,
  description: string,
  meta: InputMeta = {},
) =>
  described(z.enum(values, { error: `Use ${values.map((value) => `\`${value}\``).join(', ')}.` }), description, meta);

/** Words as a shell would split them. */
export const words = (description: string, meta: InputMeta = {}) => parsed(splitWords, description, meta);

const sourceMeaning =
  'Name of the source, e.g. `orders`: lower-case letters, digits, `-`, `_`. `verify-freshness` takes several, one a line; there `*` or nothing means all.';

/**
 * Inputs that mean the same in every action. An action lists those it uses:
 * `z.strictObject({ ...common, source: shared.source, … })`.
 */
export const shared = {
  source: parsed(checkSourceName, sourceMeaning, { env: true }),
  sources: lines(sourceMeaning, { env: true }),
  'age-identity': text(
    'Secret key of age (`AGE-SECRET-KEY-1…`) that decrypts backups; several, one a line. Needed only for encrypted backups.',
    { env: true, secret: true, many: true },
  ),
  'bin-dir': text(
    'Folder of the database programs, e.g. `/usr/lib/postgresql/17/bin`; found by themselves when empty.',
    {
      env: true,
    },
  ),
  'tools-prefix': words(
    'Words put before every database program, e.g. `docker exec -i -e PGPASSWORD chain-postgres`; split like a shell does, run by none.',
    { env: true },
  ),
  'tools-host': text("The server's address as programs behind `tools-prefix` see it; the socket there when empty.", {
    env: true,
  }),
  'min-size': size('Smallest size a backup may have, all its artifacts together, e.g. `500MB`.').optional(),
  'max-size-deviation': share(
    'How far the size of a backup may be from the median of the last ten: below that it fails, above it warns.',
  ).prefault('50%'),
  jobs: parsed(
    parseJobs,
    'Streams at a time, 1 to 16. A backup is written as one when empty; with 2 and more its rows go in that many streams under one snapshot, beside two of its definitions (not with `schema-only` or `data-only`). Such a backup is restored in as many at a time as it has, at most one a core, when empty.',
    {},
  ).optional(),
  'scratch-dir': text(
    'Folder for scratch servers: on disk, not on tmpfs, and reachable by an unprivileged user. A folder per user under `/var/tmp` when empty.',
    { env: true },
  ),
} as const;

/** Of every refused input; a terminal has something better to say. */
export const COMPARE_INPUTS = 'Compare the inputs of this step with the table of inputs in the README.';

/**
 * Parses what one action was given; names every problem at once.
 *
 * @throws {Failure} `invalid-input` with a line per problem: input, value (hidden for secrets), what is allowed
 */
export function parseInputs<T extends z.ZodObject>(schema: T, raw: RawInputs): z.output<T> {
  const given = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== ''));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => describeIssue(issue, given, describeInputs(schema)));
  throw new Failure('invalid-input', problems.join('\n'), {
    hint: COMPARE_INPUTS,
  });
}

export interface InputDescription {
  readonly name: string;
  readonly description: string;
  readonly default: string | undefined;
  readonly required: boolean;
  /** Values of a choice. */
  readonly values: readonly string[];
  /** Takes `true` or `false`. */
  readonly flag: boolean;
  /** Takes several values, one a line. */
  readonly many: boolean;
  readonly secret: boolean;
  readonly env: boolean;
  readonly actionDefault: string | undefined;
  readonly deprecationMessage: string | undefined;
}

const Described = z.object({
  description: z.string().min(1),
  default: z.string().optional(),
  enum: z.array(z.string()).default([]),
  flag: z.boolean().default(false),
  many: z.boolean().default(false),
  secret: z.boolean().default(false),
  env: z.boolean().default(false),
  actionDefault: z.string().optional(),
  deprecationMessage: z.string().optional(),
});

/** What a schema says of its inputs, in the order they were declared. */
export function describeInputs(schema: z.ZodObject): InputDescription[] {
  const json = z.toJSONSchema(schema, { io: 'input' });
  const required = new Set(json.required);
  return Object.entries(json.properties ?? {}).map(([name, property]) => {
    const { enum: values, default: byDefault, ...rest } = Described.parse(property);
    return {
      ...rest,
      name,
      values,
      default: byDefault === '' ? undefined : byDefault,
      required: required.has(name),
      actionDefault: rest.actionDefault,
      deprecationMessage: rest.deprecationMessage,
    };
  });
}

function described<T extends z.ZodType>(schema: T, description: string, meta: InputMeta, more = {}): T {
  return schema.meta({ description, ...meta, ...more });
}

/** Text read by a function whose failures say in their hint what is allowed, never the value. */
export function parsed<T>(parse: (value: string) => T, description: string, meta: InputMeta) {
  const schema = z.string().transform((value, context): T => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      // The hint says what is allowed and, unlike the message, never holds the value.
      context.addIssue({ code: 'custom', message: error.hint ?? 'This value cannot be read.' });
      return z.NEVER;
    }
  });
  return described(schema, description, meta);
}

/** What node and PostgreSQL can wait for, in milliseconds; a little less than 25 days. */
const LONGEST_WAIT_MS = 2_147_483_647;

function parseWait(value: string, least: number): number {
  const ms = atLeast(parseDuration(value), value, least);
  if (ms <= LONGEST_WAIT_MS) return ms;
  throw new Failure('invalid-input', `"${value}" is longer than can be waited for.`, { hint: 'Use `24d` at most.' });
}

function atLeast(ms: number, value: string, least: number): number {
  if (ms >= least) return ms;
  throw new Failure('invalid-input', `"${value}" is no time at all.`, { hint: 'Use `1s` at least.' });
}

function splitLines(value: string): string[] {
  return value
    .split(/\r?\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function parseCount(value: string, also = ''): number {
  const parsedCount = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(parsedCount)) return parsedCount;
  throw new Failure('invalid-input', `"${value}" is not a whole number.`, { hint: `Use a whole number${also}.` });
}

/** Each stream is a connection, a compressor and an upload. */
const MOST_JOBS = 16;

function parseJobs(value: string): number {
  const jobs = /^\d{1,2}$/.test(value) ? Number(value) : 0;
  if (jobs >= 1 && jobs <= MOST_JOBS) return jobs;
  throw new Failure('invalid-input', `"${value}" is no number of streams.`, {
    hint: `Use a whole number from 1 to ${MOST_JOBS}.`,
  });
}

function parseShare(value: string, max: number): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(value)?.[1];
  const fraction = Number(percent) / 100;
  if (percent !== undefined && fraction <= max) return fraction;
  const limit = Number.isFinite(max) ? `, up to ${max * 100}%` : '';
  throw new Failure('invalid-input', `"${value}" is not a share.`, { hint: `Use a share such as \`20%\`${limit}.` });
}

function describeIssue(issue: z.core.$ZodIssue, given: RawInputs, inputs: readonly InputDescription[]): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => describeUnknown(key, inputs));
  const name = String(issue.path[0] ?? '');
  const input = inputs.find((candidate) => candidate.name === name);
  const value = given[name];
  // An issue without a path is a rule over several inputs: its message says it all.
  if (input === undefined) return [issue.message];
  if (value === undefined) return [`\`${name}\` is missing. ${input.description}`];
  const shown = input.secret ? '(a secret, not shown)' : JSON.stringify(value);
  return [`\`${name}\` cannot be ${shown}. ${issue.message}`];
}

function describeUnknown(key: string, inputs: readonly InputDescription[]): string {
  const known = inputs.map(({ name }) => `\`${name}\``).join(', ');
  const meant = nearest(
    key,
    inputs.map(({ name }) => name),
  );
  const guess = meant === undefined ? '' : ` Did you mean \`${meant}\`?`;
  return `\`${key}\` is no input here.${guess} There are ${known}.`;
}
