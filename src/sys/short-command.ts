import { basename } from 'node:path';
import { getExecOutput } from '@actions/exec';
import { bound, type Command, type Exit, failureOf, howEnded } from './process.ts';
import { tracedStart } from './trace.ts';

// An input of @actions/exec, also an empty one, crashes the step when the program ends without reading
// it, and without one the program may wait for its end for ever.
const WITHOUT_INPUT = ['-c', 'exec "$0" "$@" </dev/null'];

/**
 * Asks a program something that it answers in a line or two, such as `--version`, and gives its
 * stdout. Never for data, which would be split into lines without backpressure, and never for what a
 * signal must be able to end.
 *
 * @throws {Failure} `tool-missing`, `tool-failed`
 */
export async function askProgram(command: Command): Promise<string> {
  const ended = tracedStart(command);
  const { stdout, exit } = await answerOf(command);
  ended(howEnded(exit));
  const failure = failureOf(exit);
  if (failure !== undefined) throw failure;
  return stdout;
}

async function answerOf(command: Command): Promise<{ stdout: string; exit: Exit }> {
  const ended = { program: basename(command.program), path: command.program, signal: null };
  try {
    const { exitCode, stdout, stderr } = await getExecOutput('/bin/sh', [...WITHOUT_INPUT, ...bound(command).flat()], {
      silent: true, // otherwise it prints the command line and all output
      ignoreReturnCode: true,
      env: { ...command.env }, // otherwise the program gets all of ours
      ...(command.cwd !== undefined && { cwd: command.cwd }),
    });
    return { stdout, exit: { ...ended, code: exitCode, stderr } };
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    return { stdout: '', exit: { ...ended, code: null, stderr: '', error } };
  }
}
