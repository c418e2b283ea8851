import type { Action } from '../src/actions/index.ts';
import { variableOf } from '../src/github/environment.ts';
import { describeInputs, type InputDescription } from '../src/github/inputs.ts';
import { commonOutputs } from '../src/github/outputs.ts';

export type Actions = Readonly<Record<string, Action>>;

/** Inputs of one name mean one thing everywhere: the root's action.yml has them all. */
const SAME = [
  'description',
  'default',
  'values',
  'flag',
  'secret',
  'env',
  'actionDefault',
  'deprecationMessage',
] as const;

/** action.yml of one action's folder. */
export function actionFile(name: string, action: Action): string {
  const inputs = describeInputs(action.inputs).map((input) => [input.name, describeInput(input), input] as const);
  return [
    `# Generated from src/actions/${name}.ts by scripts/generate.ts.`,
    `name: ${quoted(`Lifeboat ${name}`)}`,
    `description: ${quoted(action.description)}`,
    'inputs:',
    ...inputs.flatMap(([name, description, input]) => entry(name, description, input)),
    'outputs:',
    ...Object.entries(outputsOf(action)).flatMap(([output, description]) => entry(output, description)),
    ...runs(`../dist/${name}.js`, '../dist/post.js'),
  ].join('\n');
}

/** action.yml of the repository: any action, by its input `command`. */
export function rootFile(actions: Actions): string {
  const names = Object.keys(actions);
  const inputs = [...unionOf(actions)].map(([name, { input, users }]) => {
    const where = users.length === names.length ? '' : `For ${users.join(', ')}. `;
    return entry(name, where + describeInput(input), input);
  });
  return [
    '# Generated from src/actions/ by scripts/generate.ts.',
    "name: 'Lifeboat'",
    "description: 'Backups that have been restored: back up PostgreSQL, judge, drill and prune.'",
    "branding:\n  icon: 'life-buoy'\n  color: 'blue'",
    'inputs:',
    `  command:\n    description: ${quoted(`What to run: ${codes(names)}.`)}\n    required: true`,
    ...inputs.flat(),
    'outputs:',
    ...Object.entries(unionOfOutputs(actions)).flatMap(([output, description]) => entry(output, description)),
    ...runs('dist/command.js', 'dist/post.js'),
  ].join('\n');
}

/** Table of inputs for the README. */
export function inputsTable(action: Action): string {
  const rows = describeInputs(action.inputs).map((input) => {
    const byDefault = input.actionDefault ?? input.default;
    const given = input.required ? '**required**' : byDefault === undefined ? '' : `\`${byDefault}\``;
    return `| \`${input.name}\` | ${given} | ${cell(sentenceOf(input, false))} |`;
  });
  return ['| Input | Default | What it means |', '| --- | --- | --- |', ...rows].join('\n');
}

export function outputsTable(action: Action): string {
  const rows = Object.entries(outputsOf(action)).map(([name, description]) => `| \`${name}\` | ${cell(description)} |`);
  return ['| Output | What it holds |', '| --- | --- |', ...rows].join('\n');
}

export function actionsTable(actions: Actions): string {
  const rows = Object.entries(actions).map(
    ([name, { description }]) => `| [\`${name}\`](#${name}) | ${cell(description)} |`,
  );
  return ['| Action | What it does |', '| --- | --- |', ...rows].join('\n');
}

interface Shared {
  readonly input: InputDescription;
  readonly users: string[];
}

/** @throws when two actions describe one input differently: then it would need two names */
function unionOf(actions: Actions): Map<string, Shared> {
  const union = new Map<string, Shared>();
  for (const [action, { inputs }] of Object.entries(actions)) {
    for (const input of describeInputs(inputs)) {
      const known = union.get(input.name);
      if (known === undefined) union.set(input.name, { input, users: [action] });
      else {
        refuseDifference(known, input, action);
        known.users.push(action);
      }
    }
  }
  return union;
}

function refuseDifference({ input, users }: Shared, other: InputDescription, action: string): void {
  const differing = SAME.filter((part) => JSON.stringify(input[part]) !== JSON.stringify(other[part]));
  if (differing.length === 0) return;
  const versions = differing.map(
    (part) => `${part}: ${JSON.stringify(input[part])} and ${JSON.stringify(other[part])}`,
  );
  throw new Error(`Input "${input.name}" differs between ${users.join(', ')} and ${action}: ${versions.join('; ')}`);
}

/** An output is of the step that ran, so its sentence may differ between actions; the root has them all. */
function unionOfOutputs(actions: Actions): Record<string, string> {
  const sentences = new Map<string, Map<string, string[]>>();
  for (const [action, each] of Object.entries(actions)) {
    for (const [name, sentence] of Object.entries(outputsOf(each))) {
      const known = sentences.get(name) ?? new Map<string, string[]>();
      sentences.set(name, known.set(sentence, [...(known.get(sentence) ?? []), action]));
    }
  }
  const joined = [...sentences].map(
    ([name, said]) => [name, joinSentences(said, Object.keys(actions).length)] as const,
  );
  return Object.fromEntries(joined);
}

function joinSentences(said: ReadonlyMap<string, readonly string[]>, actions: number): string {
  const all = [...said].map(([sentence, users]) => {
    return users.length === actions ? sentence : `Of ${users.join(', ')}: ${sentence}`;
  });
  return all.join(' ');
}

function outputsOf(action: Action): Record<string, string> {
  return { ...action.outputs, ...commonOutputs };
}

/**
 * No `default:` but for expressions, and no `required: true`: a default here would beat the environment,
 * and the runner checks no requirement. Both stand in the sentence.
 */
function describeInput(input: InputDescription): string {
  const byDefault = input.default === undefined ? '' : ` Default: \`${input.default}\`.`;
  return `${sentenceOf(input, true)}${byDefault}`;
}

function sentenceOf(input: InputDescription, withRequired: boolean): string {
  const values = input.flag ? ['true', 'false'] : input.values;
  return [
    input.description,
    values.length > 0 ? `One of ${codes(values)}.` : '',
    withRequired && input.required ? 'Required.' : '',
    input.env ? `May come from \`${variableOf(input.name)}\`.` : '',
    input.deprecationMessage ?? '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function entry(
  name: string,
  description: string,
  { actionDefault, deprecationMessage }: Partial<InputDescription> = {},
): string[] {
  return [
    `  ${name}:`,
    `    description: ${quoted(description)}`,
    ...(actionDefault === undefined ? [] : [`    default: ${actionDefault}`]),
    ...(deprecationMessage === undefined ? [] : [`    deprecationMessage: ${quoted(deprecationMessage)}`]),
  ];
}

function runs(main: string, post: string): string[] {
  return ['runs:', '  using: node24', `  main: ${main}`, `  post: ${post}`, '  post-if: always()', ''];
}

function codes(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(', ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
