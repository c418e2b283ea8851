import { type Action, isActionName } from './actions/index.ts';
import { announce, announceStart, tellingOf } from './announce.ts';
import { type CommandName, commands, isCommandName } from './commands/index.ts';
import { completionFor } from './completion.ts';
import { Failure } from './core/failure.ts';
import { nearest } from './core/nearest.ts';
import { type Finding, finding, type Report, report } from './core/report.ts';
import { renderText } from './core/report-text.ts';
import { asFlags, type Flags, parseFlags } from './flags.ts';
import { addEnvironment } from './github/environment.ts';
import { COMPARE_INPUTS, describeInputs } from './github/inputs.ts';
import { terminalLog } from './github/log.ts';
import { redactDeep, redactor, secretsOf } from './github/masks.ts';
import { couldNotWork, reportJson } from './github/publish.ts';
import { describeCommand, describeCommands, describeCommonInputs } from './help.ts';
import { originOf } from './origin.ts';
import { runAction } from './run.ts';
import { stopOnSignals } from './stop.ts';
import { barOn, hasColours, paintVerdicts } from './terminal.ts';
import { tool } from './tool.ts';

/** 0: pass or warn. 1: the work was done and what it found is not acceptable. 2: it could not be done. */
type ExitCode = 0 | 1 | 2;

/** How long a connection that nobody closed may keep a finished process. */
const LINGER_MS = 1_000;

const JSON_FLAG = '--json';

const schemas = Object.values<Action>(commands).map(({ inputs }) => inputs);

/** The same actions from a terminal: log on stderr, report on stdout. GitHub may be what is down. */
export async function cli(words: readonly string[]): Promise<void> {
  process.exitCode = await runCli(words).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    return refuse(error, words);
  });
  // What was given up may hang on.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

async function runCli([command = '--help', ...words]: readonly string[]): Promise<ExitCode> {
  if (command === '--version') return say(words.includes(JSON_FLAG) ? json(tool) : `${tool.name} ${tool.version}\n`);
  if (command === '--help' || command === '-h' || command === 'help') return help(words);
  if (command === 'completion') return completion(words);
  if (!isCommandName(command)) throw noCommand(command);
  const { inputs, positional }: Action = commands[command];
  const flags = parseFlags(words, inputs, positional);
  if (flags.help) return help([command, ...(flags.json ? [JSON_FLAG] : [])]);
  const startedAt = new Date();
  const report = await run(command, flags);
  return show(
    report,
    flags.json ? reportJson(report, originOf(command, process.env, startedAt)) : textOf(report, inputs),
  );
}

function help(words: readonly string[]): ExitCode {
  const [about] = words.filter((word) => word !== JSON_FLAG);
  const isJson = words.includes(JSON_FLAG);
  const known: Readonly<Record<string, Action>> = commands;
  if (about === 'inputs') return say(describeCommonInputs(commands.backup.inputs));
  if (about === undefined) {
    const all = Object.entries(known).map(([name, { description }]) => ({ name, description }));
    return say(isJson ? json({ commands: all }) : describeCommands(known));
  }
  if (about === 'completion') throw completionHelp();
  if (!isCommandName(about)) throw noCommand(about);
  const action: Action = commands[about];
  const described = { name: about, description: action.description, inputs: describeInputs(action.inputs) };
  return say(isJson ? json(described) : describeCommand(about, action));
}

function completion(words: readonly string[]): ExitCode {
  const [shell] = words.filter((word) => word !== JSON_FLAG);
  if (shell === '--help' || shell === '-h') throw completionHelp();
  const script = completionFor(shell, commands);
  return say(words.includes(JSON_FLAG) ? json({ shell, script }) : script);
}

function completionHelp(): Failure {
  return new Failure('invalid-input', '`lifeboat completion bash|zsh|fish` prints a script.', {
    hint: 'For bash: `lifeboat completion bash > /etc/bash_completion.d/lifeboat`, then begin a new shell.',
  });
}

/** Nothing was done: what was typed cannot be meant. A program that asked for JSON gets JSON. */
function refuse(error: Failure, words: readonly string[]): ExitCode {
  const { env } = process;
  // Also of words that are no inputs: a password in a URL that was given without a flag, for example.
  const redact = redactor(secretsOf(schemas, Object.fromEntries(words.entries()), env));
  if (words.includes(JSON_FLAG)) {
    const [command = ''] = words;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    const title = `${isCommandName(command) ? command : 'lifeboat'} could not do its work`;
    const refused = report(title, [finding('run-failed', 'unknown', error.message, hint)]);
    say(reportJson(redactDeep(refused, redact), originOf(command, env, new Date())));
  } else process.stderr.write(redact(`lifeboat: ${error.message}\n${error.hint ?? ''}\n`));
  return 2;
}

function textOf(report: Report, inputs: Action['inputs']): string {
  const typed = report.findings.map((one) =>
    one.hint === undefined ? one : { ...one, hint: asFlags(one.hint, inputs) },
  );
  const text = renderText({ ...report, findings: typed });
  return hasColours(process.stdout, process.env) ? paintVerdicts(text) : text;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function noCommand(command: string): Failure {
  const meant = nearest(command, [...Object.keys(commands), 'completion', 'help']);
  const guess = meant === undefined ? '' : `Did you mean \`${meant}\`?\n\n`;
  return new Failure('invalid-input', `There is no command "${command}".`, {
    hint: guess + describeCommands(commands),
  });
}

async function run(name: CommandName, flags: Flags): Promise<Report> {
  const env = process.env;
  const redact = redactor(secretsOf(schemas, flags.given, env));
  const debug = flags.debug || env.RUNNER_DEBUG === '1';
  const bar = barOn(process.stderr, env, redact);
  const log = terminalLog((text) => void process.stderr.write(text), { debug, redact, bar });
  const readInputs = () => addEnvironment(flags.given, env, commands[name].inputs, schemas);
  const stop = stopOnSignals(log);
  const telling = isActionName(name) ? tellingOf(name, flags.given, { env, log, stopped: stop.signal }) : undefined;
  if (telling !== undefined) await announceStart(telling);
  const outcome = await runAction({ name, env, log, stop, redact, readInputs });
  bar?.end();
  const report = redactDeep(outcome.report, redact);
  const told = telling === undefined ? report : await announce(report, telling, redact);
  return { ...told, findings: told.findings.map((one) => forTerminal(one, name)) };
}

/** There is no step and no README in sight here. */
function forTerminal(finding: Finding, name: CommandName): Finding {
  return finding.hint === COMPARE_INPUTS
    ? { ...finding, hint: `\`lifeboat ${name} --help\` lists the inputs.` }
    : finding;
}

function show(report: Report, text: string): ExitCode {
  say(text);
  if (couldNotWork(report)) return 2;
  return report.verdict === 'pass' || report.verdict === 'warn' ? 0 : 1;
}

function say(text: string): 0 {
  process.stdout.write(text);
  return 0;
}
