import type { ComparisonGiven, Difference, Judgement } from './compare-facts.ts';
import type { Facts, SchemaFact } from './facts.ts';

/** What a reader wants to know first: a lost table explains its lost columns, indexes and grants. */
const KINDS_FIRST = [
  'schema',
  'table',
  'foreign-table',
  'view',
  'materialized-view',
  'sequence',
  'type',
  'function',
  'procedure',
  'aggregate',
  'column',
  'constraint',
  'foreign-key',
  'index',
  'trigger',
  'rule',
  'policy',
];

/** A line of a difference that says where to look: `index`, `event trigger`, `owner`. */
const kindName = (kind: string) => kind.replaceAll('-', ' ');

/** Between different majors only what there is counts: the servers word definitions differently. */
export function compareSchema(expected: Facts, found: Facts, given: ComparisonGiven): Judgement {
  const left = index(expected.schema.filter((fact) => isComparable(fact, given)));
  const right = index(found.schema.filter((fact) => isComparable(fact, given)));
  const publicExpected = left.get('schema')?.has('public') === true;
  const differences: (Difference & { kind: string })[] = [];
  for (const fact of factsOf(left)) {
    const other = right.get(fact.kind)?.get(fact.identity);
    if (other === undefined) differences.push(absent(fact));
    else if (given.sameMajor && other.digest !== fact.digest) differences.push(changed(fact));
  }
  for (const fact of factsOf(right)) {
    const isExpected = left.get(fact.kind)?.has(fact.identity) === true;
    if (!isExpected && (publicExpected || !isOfPublic(fact))) differences.push(unexpected(fact));
  }
  const objects = [...left.values()].reduce((sum, { size }) => sum + size, 0);
  const how = given.sameMajor
    ? 'there and defined as they were'
    : 'there (definitions are not compared between majors)';
  return {
    rule: 'facts-schema',
    numbers: { objects },
    pass:
      objects === 0
        ? 'The schema is empty, as it was.'
        : `${objects.toLocaleString('en-US')} objects of the schema are ${how}.`,
    differences: differences.toSorted((a, b) => rank(a.kind) - rank(b.kind)),
  };
}

/** By kind and identity. Not under keys made of both: there are a hundred thousand facts of a large schema. */
type Index = ReadonlyMap<string, ReadonlyMap<string, SchemaFact>>;

function index(facts: readonly SchemaFact[]): Index {
  const kinds = new Map<string, Map<string, SchemaFact>>();
  for (const fact of facts) {
    const known = kinds.get(fact.kind);
    if (known === undefined) kinds.set(fact.kind, new Map([[fact.identity, fact]]));
    else known.set(fact.identity, fact);
  }
  return kinds;
}

function* factsOf(index: Index): Generator<SchemaFact> {
  for (const identities of index.values()) yield* identities.values();
}

function rank(kind: string): number {
  const at = KINDS_FIRST.indexOf(kind);
  return at === -1 ? KINDS_FIRST.length : at;
}

/** 15 gave the schema `public` another owner. */
function isComparable({ kind, identity }: SchemaFact, given: ComparisonGiven): boolean {
  return given.sameMajor || kind !== 'owner' || !identity.startsWith('schema public owned by ');
}

/** Every new database has a schema `public`, and no dump drops it. */
function isOfPublic({ kind, identity }: SchemaFact): boolean {
  if (kind === 'schema') return identity === 'public';
  return /^(owner|grant|comment)$/.test(kind) && /^schema public( owned by | to |$)/.test(identity);
}

function absent({ kind, identity }: SchemaFact): Difference & { kind: string } {
  return { kind, what: `${kindName(kind)} ${identity}`, expected: 'present', found: null };
}

function unexpected({ kind, identity }: SchemaFact): Difference & { kind: string } {
  return { kind, what: `${kindName(kind)} ${identity}`, expected: null, found: 'present' };
}

function changed({ kind, identity }: SchemaFact): Difference & { kind: string } {
  return { kind, what: `${kindName(kind)} ${identity}`, expected: 'its definition', found: 'another' };
}
