import type { Readable } from 'node:stream';
import type { Compression } from '../core/codecs.ts';
import { childEnvironment } from './environment.ts';
import { type Command, outputOf, type Pipeline, startPipeline } from './process.ts';

// The zstd program and not node:zlib, whose multi-threaded mode fails at random and whose decoder
// stops silently after the first frame (Node 24.21).
const PROGRAM = 'zstd';

/**
 * What suits rows better than zstd's own level 3, which looks back 2 MiB only and takes matches so short that
 * random digits (keys, hashes) cost it more than they save: a fifth smaller in less time on such rows, and no
 * different on text (docs/SPEED.md). A window of 8 MiB is read by every `zstd -d` without an option.
 */
const ROWS = { level: 3, parameters: 'windowLog=23,hashLog=18,minMatch=6' };

/**
 * Stdin to stdout with a checksum in the frame; `-vv` makes it print the exact number of bytes at the end.
 *
 * @param threads 0: one per core
 */
export function zstdCommand(level: number, env: NodeJS.ProcessEnv, threads = 0): Command {
  const ultra = level > 19 ? ['--ultra'] : [];
  const rows = level === ROWS.level ? [`--zstd=${ROWS.parameters}`] : [];
  const args = [...ultra, `-${level}`, ...rows, `-T${threads}`, '--check', '-vv', '--no-progress', '-c'];
  return { program: PROGRAM, args, env: childEnvironment(env, { libpq: false }) };
}

/** `--long=31`: frames of any window size, also those somebody recompressed by hand. */
export function unzstdCommand(env: NodeJS.ProcessEnv): Command {
  const args = ['-d', '-q', '--long=31', '-c'];
  return { program: PROGRAM, args, env: childEnvironment(env, { libpq: false }) };
}

/** The bytes before compression, from what `zstd -vv` printed; undefined while it runs. */
export function plainBytesOf(stderr: string): number | undefined {
  const match = /\( *(\d+) B => *\d+ B/.exec(stderr);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** Compression of small streams; dumps go through `zstdCommand` in an OS pipe. */
export function zstd(env: NodeJS.ProcessEnv): Compression {
  return {
    compress: (plain, level) => throughProgram(startPipeline([zstdCommand(level, env)], 'pipe'), plain),
    decompress: (compressed) => throughProgram(startPipeline([unzstdCommand(env)], 'pipe'), compressed),
  };
}

/** Feeds `input` and gives the output; an error on either side ends both. */
function throughProgram(pipe: Pipeline, input: Readable): Readable {
  const output = outputOf(pipe);
  const { stdin } = pipe;
  stdin?.on('error', () => {}); // EPIPE: the program's exit says why
  input.once('error', (error) => output.destroy(error));
  output.once('close', () => input.destroy());
  if (stdin !== null) input.pipe(stdin);
  return output;
}
