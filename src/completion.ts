import type { Action } from './actions/index.ts';
import { commandHelp } from './command-help.ts';
import { Failure } from './core/failure.ts';
import { FILE } from './flags.ts';
import { describeInputs, type InputDescription } from './github/inputs.ts';

type Commands = Readonly<Record<string, Pick<Action, 'inputs'>>>;

/** One flag of a command, as a shell needs it. */
interface Flag {
  /** With its dashes. */
  readonly name: string;
  readonly values: readonly string[];
  readonly takesFile: boolean;
  readonly isSwitch: boolean;
  readonly summary: string;
}

const shells: Readonly<Record<string, (commands: Commands) => string>> = { bash, zsh, fish };
const SHELLS = Object.keys(shells);

/**
 * A script that completes commands, flags, values of choices, and files where a file is read.
 *
 * @throws {Failure} `invalid-input` for a shell that is none of the three
 */
export function completionFor(shell: string | undefined, commands: Commands): string {
  const write = shell === undefined ? undefined : shells[shell];
  if (write !== undefined) return write(commands);
  throw new Failure(
    'invalid-input',
    shell === undefined ? 'For which shell?' : `There is no completion for "${shell}".`,
    {
      hint: `Give one of ${SHELLS.join(', ')}: \`lifeboat completion bash > /etc/bash_completion.d/lifeboat\`.`,
    },
  );
}

function namesOf(commands: Commands): string[] {
  return [...Object.keys(commands), 'completion', 'help'];
}

function flagsOf({ inputs }: Commands[string]): Flag[] {
  const own = ['json', 'debug', 'help'].map((name) => ({
    name: `--${name}`,
    values: [],
    takesFile: false,
    isSwitch: true,
    summary: '',
  }));
  return [...describeInputs(inputs).map(flagOf), ...own];
}

/** Inputs that name a path on this machine, whether or not they are secrets. */
const PATHS = /(^|-)(dir|file|html|page)$/;

function flagOf({ name, secret, flag, values, description }: InputDescription): Flag {
  const named = secret ? `--${name}${FILE}` : `--${name}`;
  const summary = (/^.*?[.:;](?= |$)/.exec(description)?.[0] ?? description)
    .replaceAll(/[`'"\\[\]$]/g, '')
    .slice(0, 70);
  return {
    name: named,
    values: flag ? ['true', 'false'] : values,
    takesFile: secret || PATHS.test(name),
    isSwitch: flag,
    summary,
  };
}

function bash(commands: Commands): string {
  const words = (given: readonly string[]) => `COMPREPLY=($(compgen -W '${given.join(' ')}' -- "$current"))`;
  const values: [string, readonly string[]][] = [
    ...valueCases(commands),
    ['completion:completion', SHELLS],
    ['help:help', [...Object.keys(commands), 'inputs']],
  ];
  return [
    ...BASH_HEAD,
    `  if [ "$COMP_CWORD" -eq 1 ]; then ${words(namesOf(commands))}; return; fi`,
    '  case $command:$before in',
    ...values.map(([key, some]) => `    ${key}) ${words(some)}; return ;;`),
    '  esac',
    '  case $before in',
    `    ${fileFlags(commands).join('|')})`,
    '      compopt -o filenames 2>/dev/null',
    '      COMPREPLY=($(compgen -f -- "$current")); return ;;',
    '  esac',
    '  case $command in',
    ...Object.entries(commands).map(([name, command]) => `    ${name}) flags='${flagNames(command)}' ;;`),
    '  esac',
    '  case $current in -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;; esac',
    '}',
    'complete -F _lifeboat lifeboat',
    '',
  ].join('\n');
}

function flagNames(command: Commands[string]): string {
  return flagsOf(command)
    .map(({ name }) => name)
    .join(' ');
}

const BASH_HEAD = [
  '# Completion of lifeboat for bash. Made by `lifeboat completion bash`.',
  '_lifeboat() {',
  '  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} flags=',
  '  # bash splits at the equals sign: --facts=counts is three words.',
  '  if [ "$current" = = ]; then current=; fi',
  '  if [ "$before" = = ] && [ "$COMP_CWORD" -ge 2 ]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi',
  '  COMPREPLY=()',
];

/** \`command:--flag\` and its values; a switch takes its value behind an equals sign, and needs none. */
function valueCases(commands: Commands): [string, readonly string[]][] {
  return Object.entries(commands).flatMap(([name, command]) =>
    flagsOf(command)
      .filter(({ values, isSwitch }) => values.length > 0 && !isSwitch)
      .map((flag): [string, readonly string[]] => [`${name}:${flag.name}`, flag.values]),
  );
}

function fileFlags(commands: Commands): string[] {
  const all = Object.values(commands).flatMap((command) => flagsOf(command).filter(({ takesFile }) => takesFile));
  return [...new Set(all.map(({ name }) => name))].toSorted();
}

function zsh(commands: Commands): string {
  const cases = Object.entries(commands).map(([name, command]) => {
    const specs = flagsOf(command).map((flag) => `        '*${flag.name}${zshValue(flag)}'`);
    return `      ${name})\n        _arguments -s \\\n${specs.join(' \\\n')} \\\n        '*: :'\n        ;;`;
  });
  const names = namesOf(commands).map((name) => `'${name}:${zshText(commandHelp[name]?.summary ?? '')}'`);
  return `#compdef lifeboat
# Completion of lifeboat for zsh. Made by \`lifeboat completion zsh\`.
_lifeboat() {
  local context state line
  typeset -A opt_args
  _arguments -C '1: :->command' '*:: :->words'
  case $state in
    command)
      local -a names
      names=(${names.join(' ')})
      _describe command names
      ;;
    words)
      case $line[1] in
${cases.join('\n')}
        completion) _values shell ${SHELLS.join(' ')} ;;
        help) _values command ${Object.keys(commands).join(' ')} inputs ;;
      esac
      ;;
  esac
}
if [ "$funcstack[1]" = _lifeboat ]; then _lifeboat "$@"; else compdef _lifeboat lifeboat; fi
`;
}

function zshValue({ summary, values, takesFile, isSwitch }: Flag): string {
  const told = `[${zshText(summary)}]`;
  if (isSwitch) return told;
  if (takesFile) return `${told}:file:_files`;
  return `${told}:value:${values.length > 0 ? `(${values.join(' ')})` : ' '}`;
}

function zshText(text: string): string {
  return text.replaceAll(/['`]/g, '').replaceAll(':', '\\:');
}

function fish(commands: Commands): string {
  const quoted = (text: string) => `'${text.replaceAll(/['\\]/g, '')}'`;
  const first = namesOf(commands).map(
    (name) => `complete -c lifeboat -n __fish_use_subcommand -a ${name} -d ${quoted(commandHelp[name]?.summary ?? '')}`,
  );
  const flags = Object.entries(commands).flatMap(([name, command]) =>
    flagsOf(command).map((flag) => {
      const value = flag.isSwitch
        ? ''
        : flag.takesFile
          ? ' -r -F'
          : flag.values.length > 0
            ? ` -x -a ${quoted(flag.values.join(' '))}`
            : ' -x';
      return `complete -c lifeboat -n '__fish_seen_subcommand_from ${name}' -l ${flag.name.slice(2)}${value} -d ${quoted(flag.summary)}`;
    }),
  );
  return `# Completion of lifeboat for fish. Made by \`lifeboat completion fish\`.
complete -c lifeboat -f
${[...first, ...flags].join('\n')}
complete -c lifeboat -n '__fish_seen_subcommand_from completion' -a '${SHELLS.join(' ')}'
`;
}
