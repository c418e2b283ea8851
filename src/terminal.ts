import type { Verdict } from './core/report.ts';
import type { Environment } from './github/inputs.ts';
import { ProgressBar } from './github/progress-bar.ts';

type Stream = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;

const COLUMNS = 80;

/** Whether words may be coloured there: https://no-color.org, and terminals that know no colours. */
export function hasColours(stream: Pick<Stream, 'isTTY'>, env: Environment): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}

/** A bar where a line can be redrawn in place; a log that is kept, or read by a machine, gets lines. */
export function barOn(stream: Stream, env: Environment, redact: (text: string) => string): ProgressBar | undefined {
  if (stream.isTTY !== true || env.TERM === 'dumb' || isCi(env)) return undefined;
  return new ProgressBar({
    write: (text) => void stream.write(text),
    columns: () => stream.columns || COLUMNS,
    nowMs: () => performance.now(),
    redact,
  });
}

/** Most CI systems set it; some of them offer a terminal that is none. */
function isCi({ CI }: Environment): boolean {
  return CI !== undefined && CI !== '' && CI !== 'false' && CI !== '0';
}

const COLOUR: Readonly<Record<Verdict, number>> = { pass: 32, warn: 33, fail: 31, unknown: 35 };

/** Colours the verdict of a report and the status of each finding, which stand at the beginning of a line. */
export function paintVerdicts(text: string): string {
  return text.replace(/^(pass|warn|fail|unknown)(?=: | [a-z-]+(?:: | \[))/gim, (word) => {
    return `\u001b[1;${COLOUR[word.toLowerCase() as Verdict]}m${word}\u001b[0m`;
  });
}
