import { z } from 'zod';
import { Facts } from '../src/core/facts.ts';
import { ArtifactRole, Manifest, RunInfo } from '../src/core/manifest.ts';
import { DrillRecord, InProgressRecord, PinRecord, RemovingRecord, RestoreRecord } from '../src/core/records.ts';
import { StoredFinding } from '../src/core/report.ts';
import { rules } from '../src/core/rules.ts';
import * as sentences from './format-sentences.ts';

type Sentences = Readonly<Record<string, string>>;

/** What stands between `<!-- table: name -->` and `<!-- end -->` in docs/FORMAT.md. */
export const formatTables: Readonly<Record<string, () => string>> = {
  manifest: () => fieldTable(Manifest, sentences.manifestSentences),
  'artifact-roles': () => wordTable('Role', ArtifactRole.options, sentences.artifactRoles),
  'in-progress': () => fieldTable(InProgressRecord, sentences.inProgressSentences),
  removing: () => fieldTable(RemovingRecord, sentences.removingSentences),
  drill: () => fieldTable(DrillRecord, sentences.drillSentences),
  pin: () => fieldTable(PinRecord, sentences.pinSentences),
  restore: () => fieldTable(RestoreRecord, sentences.restoreSentences),
  finding: () => fieldTable(StoredFinding, sentences.findingSentences),
  run: () => fieldTable(RunInfo, sentences.runSentences),
  facts: () => fieldTable(Facts, sentences.factsSentences),
  rules: () => wordTable('Rule', Object.keys(rules), rules),
};

/**
 * Fills the tables of docs/FORMAT.md from the schemas.
 *
 * @throws when the document asks for a table that does not exist, or does not show one that does
 */
export function fillFormat(text: string): string {
  const shown = new Set<string>();
  const filled = text.replaceAll(/(<!-- table: ([a-z-]+) -->\n)[\s\S]*?(<!-- end -->)/g, (_, open, name, close) => {
    const table = formatTables[name];
    if (table === undefined) throw new Error(`docs/FORMAT.md asks for a table "${name}", which does not exist.`);
    shown.add(name);
    return `${open}\n${table()}\n\n${close}`;
  });
  const absent = Object.keys(formatTables).filter((name) => !shown.has(name));
  if (absent.length > 0) throw new Error(`docs/FORMAT.md does not show ${absent.join(', ')}.`);
  return filled;
}

/** JSON Schema as zod writes it, as far as these records use it. */
const Node: z.ZodType<Node> = z.lazy(() =>
  z.object({
    type: z.union([z.string(), z.array(z.string()).transform((types) => types.join(' or '))]).optional(),
    const: z.unknown().optional(),
    enum: z.array(z.string()).optional(),
    format: z.string().optional(),
    pattern: z.string().optional(),
    minimum: z.number().optional(),
    exclusiveMinimum: z.number().optional(),
    anyOf: z.array(Node).optional(),
    items: Node.optional(),
    properties: z.record(z.string(), Node).optional(),
    required: z.array(z.string()).optional(),
    additionalProperties: z.union([Node, z.boolean()]).optional(),
  }),
);
interface Node {
  readonly type?: string | undefined;
  readonly const?: unknown;
  readonly enum?: readonly string[] | undefined;
  readonly format?: string | undefined;
  readonly pattern?: string | undefined;
  readonly minimum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
  readonly anyOf?: readonly Node[] | undefined;
  readonly items?: Node | undefined;
  readonly properties?: Readonly<Record<string, Node>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly additionalProperties?: Node | boolean | undefined;
}

interface Field {
  readonly path: string;
  readonly type: string;
  readonly optional: boolean;
}

function fieldTable(schema: z.ZodType, about: Sentences): string {
  const fields = fieldsOf(Node.parse(z.toJSONSchema(schema, { io: 'input' })), '', about);
  refuseUnused(about, new Set(fields.map(({ path }) => path)));
  const rows = fields.map(({ path, type, optional }) => {
    return `| \`${path}\`${optional ? ' (optional)' : ''} | ${type} | ${cell(about[path] ?? '')} |`;
  });
  return ['| Field | Type | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function wordTable(title: string, words: readonly string[], about: Sentences): string {
  refuseUnused(about, new Set(words));
  const rows = words.map((word) => `| \`${word}\` | ${cell(sentenceOf(about, word))} |`);
  return [`| ${title} | Meaning |`, '| --- | --- |', ...rows].join('\n');
}

/** Fields in the order of the schema, each followed by those in it. Findings and runs have tables of their own. */
function fieldsOf(node: Node, prefix: string, about: Sentences): Field[] {
  const required = new Set(node.required);
  return Object.entries(node.properties ?? {}).flatMap(([name, property]) => {
    const path = prefix + name;
    sentenceOf(about, path);
    const field = { path, type: typeOf(property), optional: !required.has(name) };
    return name === 'findings' || name === 'run' ? [field] : [field, ...within(property, path, about)];
  });
}

function within(node: Node, path: string, about: Sentences): Field[] {
  const inner = node.anyOf?.find(({ type }) => type !== 'null') ?? node;
  if (inner.items !== undefined) return fieldsOf(inner.items, `${path}[].`, about);
  return fieldsOf(inner, `${path}.`, about);
}

function typeOf(node: Node): string {
  if (node.anyOf !== undefined) return node.anyOf.map(typeOf).join(' or ');
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(', ');
  if (node.format === 'date-time') return 'moment';
  if (node.pattern === '^[0-9a-f]{64}$') return '64 hex digits';
  if (node.type === 'array') return `array of ${plural(typeOf(node.items ?? {}))}`;
  if (node.type === 'integer') return integer(node);
  if (node.type === 'object' && typeof node.additionalProperties === 'object') {
    return `object of ${plural(typeOf(node.additionalProperties))}`;
  }
  return node.type ?? 'anything';
}

function integer({ minimum, exclusiveMinimum }: Node): string {
  if (exclusiveMinimum === 0) return 'integer > 0';
  return minimum === 0 ? 'integer ≥ 0' : 'integer';
}

function plural(type: string): string {
  return /^[a-z]+$/.test(type) ? `${type}s` : type;
}

function sentenceOf(about: Sentences, name: string): string {
  const sentence = about[name];
  if (sentence === undefined) throw new Error(`scripts/format-sentences.ts says nothing of "${name}".`);
  return sentence;
}

function refuseUnused(about: Sentences, used: ReadonlySet<string>): void {
  const unused = Object.keys(about).filter((name) => !used.has(name));
  if (unused.length > 0)
    throw new Error(`scripts/format-sentences.ts knows ${unused.join(', ')}, which no schema has.`);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
