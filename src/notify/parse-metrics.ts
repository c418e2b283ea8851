import { Failure } from '../core/failure.ts';
import type { Sample } from '../core/metrics.ts';

/** What a file of metrics holds. */
export interface StoredMetrics {
  readonly samples: readonly Sample<string>[];
  /** By name: a newer version may know metrics that this one does not. */
  readonly help: ReadonlyMap<string, string>;
}

// The text format of Prometheus, version 0.0.4, as far as Lifeboat writes it: gauges of its own, without time stamps.
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
const NAME = '(lifeboat_[a-z0-9_]+)';
const HELP_LINE = new RegExp(`^# HELP ${NAME} (.*)$`);
const TYPE_LINE = new RegExp(`^# TYPE ${NAME} gauge$`);
const LABEL = String.raw`[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"`;
const SAMPLE_LINE = new RegExp(String.raw`^${NAME}(?:\{(${LABEL}(?:,${LABEL})*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$`);
const EACH_LABEL = /([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"/g;

/**
 * Reads a file that Lifeboat wrote. Strict, since what is not understood would be lost when it is written again.
 *
 * @throws {Failure} `guard-refused`, naming the file and the line
 */
export function parseMetrics(text: string, path: string): StoredMetrics {
  const samples: Sample<string>[] = [];
  const help = new Map<string, string>();
  // The last line may be half of one, and still be a number: `17` of `1764110000`.
  if (text !== '' && !text.endsWith('\n')) throw notOurs(path, 'it ends in the middle of a line');
  for (const [at, line] of text.split('\n').entries()) {
    const [, named, about] = HELP_LINE.exec(line) ?? [];
    const sample = parseSample(line);
    if (named !== undefined && about !== undefined) help.set(named, unescaped(about));
    else if (sample !== undefined) samples.push(sample);
    else if (line !== '' && !TYPE_LINE.test(line)) throw notOurs(path, `line ${at + 1} is none of its metrics`);
  }
  return { samples, help };
}

function parseSample(line: string): Sample<string> | undefined {
  const [, name, labels = '', value] = SAMPLE_LINE.exec(line) ?? [];
  if (name === undefined) return undefined;
  const pairs = [...labels.matchAll(EACH_LABEL)].map(([, label = '', text = '']) => [label, unescaped(text)]);
  return { name, labels: Object.fromEntries(pairs), value: Number(value) };
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([\\"n])/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

function notOurs(path: string, why: string): Failure {
  return new Failure(
    'guard-refused',
    `${path} was left as it is: it is not a file that Lifeboat wrote, or it was damaged; ${why}.`,
    {
      hint: 'Give `metrics-file` a path that nothing else writes. If it is damaged, remove it: each action fills it again with its next run.',
    },
  );
}
