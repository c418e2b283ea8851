import { type Action, isActionName } from './actions/index.ts';
import { announce, announceStart, tellingOf } from './announce.ts';
import { type CommandName, commands, isCommandName } from './commands/index.ts';
import { Failure } from './core/failure.ts';
import { nearest } from './core/nearest.ts';
import type { Finding, Report } from './core/report.ts';
import { renderText } from './core/report-text.ts';
import { describeFlags, type Flags, parseFlags } from './flags.ts';
import { addEnvironment } from './github/environment.ts';
import { COMPARE_INPUTS } from './github/inputs.ts';
import { terminalLog } from './github/log.ts';
import { redactDeep, redactor, secretsOf } from './github/masks.ts';
import { couldNotWork, reportJson } from './github/publish.ts';
import { originOf } from './origin.ts';
import { runAction } from './run.ts';
import { stopOnSignals } from './stop.ts';
import { tool } from './tool.ts';

/** 0: pass or warn. 1: the work was done and what it found is not acceptable. 2: it could not be done. */
type ExitCode = 0 | 1 | 2;

/** How long a connection that nobody closed may keep a finished process. */
const LINGER_MS = 1_000;

const schemas = Object.values<Action>(commands).map(({ inputs }) => inputs);

/** The same actions from a terminal: log on stderr, report on stdout. GitHub may be what is down. */
export async function cli(words: readonly string[]): Promise<void> {
  process.exitCode = await runCli(words).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`lifeboat: ${error.message}\n${error.hint ?? ''}\n`);
    return 2 as const;
  });
  // What was given up may hang on.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

async function runCli([command = '--help', ...words]: readonly string[]): Promise<ExitCode> {
  if (command === '--version') return say(`${tool.name} ${tool.version}\n`);
  if (command === '--help' || command === '-h' || command === 'help') {
    const [about] = words;
    return about === undefined ? say(usage()) : runCli([about, '--help']);
  }
  if (!isCommandName(command)) throw noCommand(command);
  const { description, inputs } = commands[command];
  const flags = parseFlags(words, inputs);
  if (flags.help) return say(describeFlags(command, description, inputs));
  const startedAt = new Date();
  const report = await run(command, flags);
  return show(report, flags.json ? reportJson(report, originOf(command, process.env, startedAt)) : renderText(report));
}

function noCommand(command: string): Failure {
  const meant = nearest(command, Object.keys(commands));
  const guess = meant === undefined ? '' : `Did you mean \`${meant}\`?\n\n`;
  return new Failure('invalid-input', `There is no command "${command}".`, { hint: guess + usage() });
}

async function run(name: CommandName, flags: Flags): Promise<Report> {
  const env = process.env;
  const redact = redactor(secretsOf(schemas, flags.given, env));
  const debug = flags.debug || env.RUNNER_DEBUG === '1';
  const log = terminalLog((text) => void process.stderr.write(text), { debug, redact });
  const readInputs = () => addEnvironment(flags.given, env, commands[name].inputs, schemas);
  const stop = stopOnSignals(log);
  const telling = isActionName(name) ? tellingOf(name, flags.given, { env, log, stopped: stop.signal }) : undefined;
  if (telling !== undefined) await announceStart(telling);
  const outcome = await runAction({ name, env, log, stop, redact, readInputs });
  const report = redactDeep(outcome.report, redact);
  const told = telling === undefined ? report : redactDeep(await announce(report, telling), redact);
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

function usage(): string {
  const lines = Object.entries(commands).map(([name, { description }]) => `  ${name.padEnd(18)} ${description}`);
  return [
    'Backups that have been restored.',
    '',
    'Usage: lifeboat <command> [--input value]…',
    '',
    ...lines,
    '',
    '`lifeboat <command> --help` lists the inputs of a command; they are those of the action of its name.',
    'Exit status: 0 pass or warn, 1 fail or unknown, 2 it could not do its work.',
    '',
  ].join('\n');
}
