import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { z } from 'zod';

// What GitHub's own description says of the endpoints used (scripts/openapi-extract.ts).
const Schema = z.record(z.string(), z.unknown());
const Endpoint = z.object({
  method: z.string(),
  path: z.string(),
  parameters: z.array(
    z.object({ name: z.string(), in: z.enum(['path', 'query', 'header']), required: z.boolean(), schema: Schema }),
  ),
  body: Schema.optional(),
  statuses: z.array(z.int()),
  reply: Schema,
});
const Extract = z.object({ version: z.string(), endpoints: z.array(Endpoint) });

/** What any endpoint may answer, said once for all in GitHub's prose. */
const EVERYWHERE = [401, 403, 404, 410, 429, 500, 502, 503, 504];

export interface Call {
  readonly method: string;
  /** Below the API's address: `/repos/acme/operations/issues`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Undefined when there is none. */
  readonly body: unknown;
}

export interface Matched {
  /** `GET /repos/{owner}/{repo}/issues` */
  readonly route: string;
  readonly path: Readonly<Record<string, string>>;
}

interface Known {
  readonly route: string;
  readonly endpoint: z.output<typeof Endpoint>;
  readonly pattern: RegExp;
  readonly body: ValidateFunction | undefined;
  readonly reply: ValidateFunction;
  readonly parameters: ReadonlyMap<string, ValidateFunction>;
}

// Formats are prose here: what must be a date is looked at by who reads it.
const ajv = new Ajv({ strict: false, validateFormats: false, coerceTypes: false });
/** Of a query all is text. */
const ajvOfText = new Ajv({ strict: false, validateFormats: false, coerceTypes: true });

const known: readonly Known[] = Extract.parse(
  JSON.parse(readFileSync(new URL('openapi.json', import.meta.url), 'utf8')),
).endpoints.map((endpoint) => ({
  route: `${endpoint.method} ${endpoint.path}`,
  endpoint,
  pattern: patternOf(endpoint.path),
  body: endpoint.body && ajv.compile(strict(endpoint.body)),
  reply: ajv.compile(endpoint.reply),
  parameters: new Map(
    endpoint.parameters.map(({ name, schema }) => [
      name,
      ajvOfText.compile({ type: 'object', properties: { value: schema } }),
    ]),
  ),
}));

/** `{path}` of contents holds slashes; no other does. */
function patternOf(path: string): RegExp {
  const source = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `(?<${name}>${name === 'path' ? '.+' : '[^/]+'})`);
  return new RegExp(`^${source}$`);
}

/** GitHub ignores what it does not know; a test must not. */
function strict(schema: z.output<typeof Schema>): z.output<typeof Schema> {
  return { ...schema, additionalProperties: false };
}

/** Which endpoint a request is for. @throws when it is none, or not as GitHub describes it */
export function matchCall(call: Call): Matched {
  const found = known.find(({ endpoint, pattern }) => endpoint.method === call.method && pattern.test(call.path));
  if (found === undefined) throw new Error(`${call.method} ${call.path} is no endpoint of the extract.`);
  const path = Object.fromEntries(
    Object.entries(found.pattern.exec(call.path)?.groups ?? {}).map(([name, value]) => [
      name,
      decodeURIComponent(value),
    ]),
  );
  for (const [name, value] of Object.entries(path)) checkParameter(found, name, value);
  for (const [name, value] of call.query) checkParameter(found, name, value);
  const missing = found.endpoint.parameters.filter(
    ({ name, required, in: place }) => required && place === 'query' && !call.query.has(name),
  );
  if (missing.length > 0) throw new Error(`${found.route}: ${missing[0]?.name} is missing.`);
  checkBody(found, call.body);
  return { route: found.route, path };
}

function checkParameter({ route, parameters }: Known, name: string, value: string): void {
  const validate = parameters.get(name);
  // Part of the links that the server itself makes.
  if (name === 'after') return;
  if (validate === undefined) throw new Error(`${route}: there is no parameter ${name}.`);
  if (!validate({ value })) throw new Error(`${route}: ${name}=${value} ${ajvOfText.errorsText(validate.errors)}`);
}

function checkBody({ route, body: validate }: Known, body: unknown): void {
  if (validate === undefined && body !== undefined) throw new Error(`${route}: takes no body.`);
  if (validate !== undefined && !validate(body)) throw new Error(`${route}: body ${ajv.errorsText(validate.errors)}`);
}

/** Whether GitHub would answer so. @throws when not: then the stand-in is wrong */
export function checkReply(route: string, status: number, body: unknown): void {
  const found = known.find((each) => each.route === route);
  if (found === undefined) throw new Error(`${route} is no endpoint of the extract.`);
  if (![...found.endpoint.statuses, ...EVERYWHERE].includes(status)) throw new Error(`${route}: answers no ${status}.`);
  if (status < 300 && !found.reply(body)) throw new Error(`${route}: reply ${ajv.errorsText(found.reply.errors)}`);
}

/** Whether a request is as GitHub describes it; undefined when it is. */
export function problemOf(call: Call): string | undefined {
  try {
    matchCall(call);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
