import type { Action } from './actions/index.ts';
import { commandHelp, type Occasion, occasions } from './command-help.ts';
import { FILE } from './flags.ts';
import { variableOf } from './github/environment.ts';
import { common } from './github/inputs/every-action.ts';
import { describeInputs, type InputDescription } from './github/inputs.ts';

const WIDTH = 96;

type Command = Pick<Action, 'description' | 'inputs' | 'positional'>;

/** What nearly every command has, explained once. */
const folded: ReadonlySet<string> = new Set(Object.keys(common).filter((name) => name !== 'store'));

const OWN = [
  ['--json', 'Print the report as JSON, and nothing else, on standard output; also of what went wrong.'],
  ['--debug', 'Show programs, timings and stacks.'],
] as const;

const EXIT =
  'Exit status: 0 pass or warn; 1 the work was done, and what it found is not acceptable; 2 it could not be done.';

const EXPLAINED = '`lifeboat help inputs` explains them.';
const SECRET = 'A secret is given as a file, never on the command line; where a variable is named, it may hold it.';

/** The list of commands, by the occasion. */
export function describeCommands(commands: Readonly<Record<string, Command>>): string {
  const names = [...Object.keys(commands), 'completion'];
  const groups = (Object.keys(occasions) as Occasion[]).flatMap((occasion) => {
    const known = Object.keys(commandHelp).filter(
      (name) => commandHelp[name]?.occasion === occasion && names.includes(name),
    );
    if (known.length === 0) return [];
    return [
      `${occasions[occasion]}:`,
      ...known.map((name) => `  ${name.padEnd(17)} ${commandHelp[name]?.summary}`),
      '',
    ];
  });
  return [
    'Backups that have been restored.',
    '',
    'Usage: lifeboat COMMAND [--input value]...',
    '',
    ...groups,
    'lifeboat COMMAND --help   inputs of a command, with examples',
    'lifeboat help inputs      inputs that every command has',
    '',
    ...secrets(),
    ...wrap(EXIT),
    '',
  ].join('\n');
}

function secrets(): string[] {
  return wrap(
    'Secrets are never flags: give a file (`--database-url-file PATH`, `--age-identity-file PATH`) or set the variable (LIFEBOAT_DATABASE_URL, LIFEBOAT_AGE_IDENTITY). LIFEBOAT_STORE and LIFEBOAT_SOURCE spare `--store` and `--source`.',
  );
}

/** How to use one command: examples first, then what it needs, what it takes, and the names of what all take. */
export function describeCommand(name: string, { description, inputs, positional = [] }: Command): string {
  const all = describeInputs(inputs);
  const isNeeded = ({ required }: InputDescription) => required;
  const rest = all.filter((input) => !isNeeded(input));
  const own = rest.filter((input) => !folded.has(input.name));
  const shared = rest.filter((input) => folded.has(input.name));
  const examples = commandHelp[name]?.examples ?? [];
  const isOptional = (place: string) => all.some(({ name: input, required }) => input === place && !required);
  const words = positional.map((place) =>
    isOptional(place) ? ` [${place.toUpperCase()}]` : ` ${place.toUpperCase()}`,
  );
  const typed = examples.map((example) => `  lifeboat ${name} ${example}`);
  const taken = [
    ...own.flatMap((input) => describeInput(input, positional)),
    ...OWN.flatMap(([flag, text]) => entry(flag, text)),
  ];
  const also = shared.length === 0 ? [] : wrap(`${shared.map(flagOf).join(', ')}; ${EXPLAINED}`, 2);
  return [
    `Usage: lifeboat ${name}${words.join('')} [--input value]...`,
    '',
    ...wrap(description),
    '',
    ...section('Examples', typed),
    ...section(
      'Needed',
      all.filter(isNeeded).flatMap((input) => describeInput(input, positional)),
    ),
    ...section('Inputs', taken),
    ...section('As everywhere', also),
    ...(all.some(({ secret }) => secret) ? [...wrap(SECRET), ''] : []),
    ...wrap(EXIT),
    '',
  ].join('\n');
}

/** What stands folded in the help of each command. */
export function describeCommonInputs(inputs: Action['inputs']): string {
  const all = describeInputs(inputs).filter(({ name }) => folded.has(name) || name === 'store');
  return [
    'Inputs that every command has, or every action:',
    '',
    ...all.flatMap((input) => describeInput(input)),
    '',
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines, ''];
}

function describeInput(input: InputDescription, positional: readonly string[] = []): string[] {
  const notes = [
    input.default === undefined ? '' : `default ${input.default}`,
    input.env ? `or ${variableOf(input.name)}` : '',
    input.many && !input.secret ? 'may be repeated' : '',
  ].filter((note) => note !== '');
  const text = `${input.description}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
  return entry(positional.includes(input.name) ? input.name.toUpperCase() : flagOf(input), text);
}

function entry(flag: string, text: string): string[] {
  return [`  ${flag}`, ...wrap(text, 6)];
}

/** As it is typed: `--dry-run`, `--require-proven=false`, `--notify-file PATH`, `--facts counts|none`. */
export function flagOf(input: InputDescription): string {
  if (input.flag) return `--${input.name}${input.default === 'true' ? '=false' : ''}`;
  if (input.secret) return `--${input.name}${FILE} PATH`;
  return `--${input.name} ${input.values.length > 0 ? input.values.join('|') : (places[input.name] ?? 'VALUE')}`;
}

/** What stands for the value of an input that most commands have. */
const places: Readonly<Record<string, string>> = { store: 'URL', source: 'NAME', from: 'URL', to: 'URL' };

/** Lines of at most 96 characters; a word that is longer has a line of its own. */
function wrap(text: string, indent = 0): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(' '.repeat(indent) + word);
  }
  return lines;
}
