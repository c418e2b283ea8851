/**
 * Writes test/github/stand-in/openapi.json: what GitHub's own OpenAPI description says of the endpoints
 * that Lifeboat uses. The whole unpacks to 385 MB, so it is no dependency: fetch it where there is room,
 *
 *     npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz package/generated/api.github.com.json
 *     node scripts/openapi-extract.ts package/generated/api.github.com.json
 */
import { readFileSync, writeFileSync } from 'node:fs';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Dictionary = { readonly [key: string]: Json };

const repo = '/repos/{owner}/{repo}';
const endpoints: readonly (readonly [method: string, path: string])[] = [
  ['get', '/user'],
  ['get', `${repo}/issues`],
  ['post', `${repo}/issues`],
  ['patch', `${repo}/issues/{issue_number}`],
  ['post', `${repo}/issues/{issue_number}/comments`],
  ['get', `${repo}/labels/{name}`],
  ['post', `${repo}/labels`],
  ['get', `${repo}/actions/workflows/{workflow_id}`],
  ['get', `${repo}/actions/workflows/{workflow_id}/runs`],
  ['get', `${repo}/actions/runs`],
  ['get', `${repo}/actions/runs/{run_id}/jobs`],
  ['get', `${repo}/actions/runners`],
  ['get', `${repo}/contents/{path}`],
];

/** Prose and samples: no request is judged by them. */
const PROSE = /^(description|example|examples|summary|title|externalDocs|deprecated|x-.*)$/;
/** Of a reply only names and kinds are judged: the stand-in sends what Lifeboat reads, not all that GitHub does. */
const REPLY_DEPTH = 3;

const [source] = process.argv.slice(2);
if (source === undefined) throw new Error('Name the file: node scripts/openapi-extract.ts api.github.com.json');
const description = JSON.parse(readFileSync(source, 'utf8')) as Dictionary;

const target = new URL('../test/github/stand-in/openapi.json', import.meta.url);
const info = at(description, 'info') as Dictionary;
const extract = { version: info.version ?? '', endpoints: endpoints.map(([method, path]) => endpointOf(method, path)) };
const lines = extract.endpoints.map((each) => JSON.stringify(each)).join(',\n');
writeFileSync(target, `{"version":${JSON.stringify(extract.version)},"endpoints":[\n${lines}\n]}\n`);

function endpointOf(method: string, path: string): Dictionary {
  const operation = at(description, 'paths', path, method) as Dictionary;
  const parameters = listOf(operation.parameters).map((each) => parameterOf(resolved(each) as Dictionary));
  const body =
    operation.requestBody && at(resolved(operation.requestBody) as Dictionary, 'content', 'application/json', 'schema');
  const responses = Object.keys(operation.responses as Dictionary);
  const success = responses.find((status) => status.startsWith('2')) ?? '';
  const reply = at(
    resolved(at(operation, 'responses', success)) as Dictionary,
    'content',
    'application/json',
    'schema',
  );
  return {
    method: method.toUpperCase(),
    path,
    parameters,
    ...(body && { body: plain(body, Number.POSITIVE_INFINITY) }),
    statuses: responses.map(Number),
    reply: namesAndKinds(plain(reply, REPLY_DEPTH)),
  };
}

function parameterOf({ name = '', in: place = '', required = false, schema = {} }: Dictionary): Dictionary {
  return { name, in: place, required, schema: plain(schema, Number.POSITIVE_INFINITY) };
}

/** A schema without references and prose; below `depth` anything goes. */
function plain(value: Json, depth: number): Json {
  if (depth <= 0) return {};
  const schema = resolved(value);
  if (Array.isArray(schema)) return schema.map((each: Json) => plain(each, depth));
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(([key]) => !PROSE.test(key));
  const parts = kept.map(([key, part]) => [key, key === 'properties' ? propertiesOf(part, depth) : plain(part, depth)]);
  return nullable(Object.fromEntries(parts) as Dictionary);
}

/** `nullable` is a word of OpenAPI 3.0, and of no JSON schema. */
function nullable({ nullable: isNullable, ...schema }: Dictionary): Dictionary {
  return isNullable === true ? { anyOf: [schema, { type: 'null' }] } : schema;
}

function propertiesOf(properties: Json, depth: number): Dictionary {
  return Object.fromEntries(
    Object.entries(properties as Dictionary).map(([name, part]) => [name, plain(part, depth - 1)]),
  );
}

/** What the reply need not hold goes, and what it may not hold stays out. */
function namesAndKinds(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(namesAndKinds);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(([key]) => key !== 'required');
  // Without what tells them apart, several of a `oneOf` may fit.
  const nameOf = (key: string) => (key === 'oneOf' ? 'anyOf' : key);
  return Object.fromEntries(entries.map(([key, part]) => [nameOf(key), namesAndKinds(part)]));
}

function resolved(value: Json): Json {
  const reference = typeof value === 'object' && value !== null && '$ref' in value ? String(value.$ref) : undefined;
  return reference === undefined ? value : resolved(at(description, ...reference.replace('#/', '').split('/')));
}

function at(value: Json, ...path: readonly string[]): Json {
  return path.reduce((part: Json, key) => (part as Dictionary)[key] ?? {}, value);
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
