import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { validate } from '@actions/languageservice';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Action, actions } from '../../src/actions/index.ts';
import { variableOf } from '../../src/github/environment.ts';
import { describeInputs } from '../../src/github/inputs.ts';

export const root = join(import.meta.dirname, '../..');

const Package = z.object({ repository: z.string().regex(/^github:[^/]+\/[^/]+$/) });
/** `OWNER/lifeboat`, as workflows write it. */
export const repository = Package.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).repository.slice(
  'github:'.length,
);

const Values = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({});
const Concurrency = z.strictObject({ group: z.string(), 'cancel-in-progress': z.literal(false) });

const Step = z.strictObject({ id: z.string().optional(), if: z.string().optional(), uses: z.string(), with: Values });
export type ExampleStep = z.output<typeof Step>;

const Job = z.strictObject({
  needs: z.string().optional(),
  if: z.string().optional(),
  strategy: z
    .strictObject({
      'fail-fast': z.literal(false),
      'max-parallel': z.int().optional(),
      matrix: z.strictObject({ include: z.array(z.record(z.string(), z.string())).min(1) }),
    })
    .optional(),
  'runs-on': z.array(z.string()),
  'timeout-minutes': z.int(),
  concurrency: Concurrency.optional(),
  environment: z.string().optional(),
  permissions: z.record(z.string(), z.string()),
  steps: z.array(Step).min(1),
});

/** What examples consist of. A key that is not here is new, and somebody must know that GitHub Enterprise Server has it. */
export const Workflow = z.strictObject({
  name: z.string(),
  on: z.strictObject({
    /** None: only somebody starts it. */
    schedule: z
      .array(z.strictObject({ cron: z.string() }))
      .min(1)
      .optional(),
    workflow_dispatch: z.strictObject({ inputs: z.record(z.string(), z.record(z.string(), z.unknown())) }).nullable(),
  }),
  permissions: z.strictObject({}),
  env: z.record(z.string(), z.string()),
  concurrency: Concurrency.optional(),
  jobs: z.record(z.string(), Job),
});

export interface Example {
  /** `nightly-backup.yml` */
  readonly name: string;
  readonly text: string;
  readonly workflow: z.output<typeof Workflow>;
}

export const examples: readonly Example[] = globSync(join(root, 'workflows-examples/*.yml'))
  .toSorted()
  .map((path) => {
    const text = readFileSync(path, 'utf8');
    return { name: basename(path), text, workflow: Workflow.parse(parse(text)) };
  });

/** The action of ours that a step uses: `backup` of `OWNER/lifeboat/backup@v1`. */
export function ourAction(step: ExampleStep): string | undefined {
  const [folder, version] = step.uses.split('@');
  return version === 'v1' && folder?.startsWith(`${repository}/`) ? folder.slice(repository.length + 1) : undefined;
}

let documents = 0;

/** Messages of GitHub's own language service on a workflow; empty when it would be accepted as it is. */
export async function problemsOf(text: string): Promise<string[]> {
  // The service keeps what it parsed by this name: under one name every text would be the first.
  const name = `file:///.github/workflows/example-${documents++}.yml`;
  const document = TextDocument.create(name, 'yaml', 1, text);
  const actionsMetadataProvider = { fetchActionMetadata: async (used: UsedAction) => metadataOf(used, text) };
  return (await validate(document, { actionsMetadataProvider })).map(({ message }) =>
    typeof message === 'string' ? message : message.value,
  );
}

interface UsedAction {
  readonly owner: string;
  readonly name: string;
  readonly ref: string;
  readonly path?: string;
}

const ActionFile = z.object({
  name: z.string(),
  description: z.string(),
  inputs: z.record(z.string(), z.object({ description: z.string(), deprecationMessage: z.string().optional() })),
});

/** Inputs of the releases that the examples pin, as far as they may be used here. */
const others: Readonly<Record<string, readonly string[]>> = {
  'aws-actions/configure-aws-credentials': [
    'role-to-assume',
    'aws-region',
    'aws-access-key-id',
    'aws-secret-access-key',
    'role-duration-seconds',
    'role-session-name',
    'audience',
  ],
  'actions/upload-artifact': ['name', 'path', 'if-no-files-found', 'retention-days'],
  'actions/attest': ['subject-path'],
  'actions/upload-pages-artifact': ['path'],
  'actions/deploy-pages': [],
};

function metadataOf({ owner, name, ref, path = '' }: UsedAction, workflow: string) {
  const foreign = others[`${owner}/${name}`];
  if (foreign !== undefined) {
    const inputs = foreign.map((input) => [input, { description: input }]);
    return { name, description: name, inputs: Object.fromEntries(inputs) };
  }
  const action = (actions as Readonly<Record<string, Action>>)[path];
  if (`${owner}/${name}` !== repository || ref !== 'v1' || action === undefined) return undefined;
  const file = ActionFile.parse(parse(readFileSync(join(root, path, 'action.yml'), 'utf8')));
  const required = missingFromEnvironment(action, workflow);
  const inputs = Object.entries(file.inputs).map(([input, about]) => [
    input,
    { ...about, required: required.has(input) },
  ]);
  return { ...file, inputs: Object.fromEntries(inputs) };
}

/** Our action.yml files require nothing, since the environment may say it. What this workflow's does not say is required. */
function missingFromEnvironment(action: Action, workflow: string): Set<string> {
  const { env = {} } = z.object({ env: z.record(z.string(), z.unknown()).optional() }).parse(parse(workflow));
  const missing = describeInputs(action.inputs).filter(
    (input) => input.required && !(input.env && variableOf(input.name) in env),
  );
  return new Set(missing.map(({ name }) => name));
}
