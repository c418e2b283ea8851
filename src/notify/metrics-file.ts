import { constants, type Stats } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure, messageOf } from '../core/failure.ts';
import { mergeSamples } from '../core/merge-metrics.ts';
import type { Sample } from '../core/metrics.ts';
import type { Report } from '../core/report.ts';
import { runSamples } from '../core/run-metrics.ts';
import { type LockOptions, withFileLock } from './file-lock.ts';
import { parseMetrics } from './parse-metrics.ts';
import { pushMetrics } from './pushgateway.ts';
import { loadMetricsText } from './registry.ts';

/** What of a step says where its numbers go. */
export interface MetricsTelling {
  readonly action: string;
  readonly given: { readonly 'metrics-file'?: string | undefined; readonly 'pushgateway-url'?: string | undefined };
  readonly env: LockOptions['env'];
  readonly now: () => Date;
}

/** Ways of keeping a report's numbers for a monitoring system; none without an input that asks for it. */
export function keepMetrics(
  report: Report,
  { action, given, env, now }: MetricsTelling,
): { what: string; send(signal: AbortSignal): Promise<void> }[] {
  const { 'metrics-file': path, 'pushgateway-url': gateway } = given;
  const endedAt = now();
  const samples = [...runSamples(report, action, endedAt), ...report.metrics];
  const ways: ReturnType<typeof keepMetrics> = [];
  if (path !== undefined) {
    const send = (signal: AbortSignal) => updateMetricsFile(path, samples, { env, signal, now: endedAt });
    ways.push({ what: 'writing of the metrics file', send });
  }
  if (gateway !== undefined) {
    const send = (signal: AbortSignal) =>
      pushMetrics(gateway, samples, { action, sources: report.sources, env, signal });
    ways.push({ what: 'push of the metrics', send });
  }
  return ways;
}

/** Larger ones are not ours: a thousand sources in ten stores have some 20 MB. */
const MOST_BYTES = 64 << 20;

/**
 * Replaces in a file what was measured, and leaves the rest. Runs at the same time wait for each other; a reader sees
 * the file before or after, never a part.
 *
 * @throws {Failure} also for a file that is not ours, which stays as it is
 */
export async function updateMetricsFile(
  path: string,
  fresh: readonly Sample<string>[],
  options: LockOptions & { readonly now: Date },
): Promise<void> {
  const { metricsText } = await loadMetricsText();
  await withFileLock(`${path}.lock`, options, async () => {
    const { samples, help } = parseMetrics(await readText(path), path);
    const text = await metricsText({ samples: mergeSamples(samples, fresh, options.now), help });
    await replaceFile(path, text).catch((cause: unknown) => {
      throw couldNot('written', path, cause);
    });
  });
}

async function readText(path: string): Promise<string> {
  try {
    // Before it is opened: a pipe waits for its writer, and a device may do anything.
    refuseWhatIsNotOurs(await stat(path), path);
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      refuseWhatIsNotOurs(await file.stat(), path);
      return await readFile(file, 'utf8');
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return '';
    throw cause instanceof Failure ? cause : couldNot('read', path, cause);
  }
}

function refuseWhatIsNotOurs(found: Stats, path: string): void {
  if (!found.isFile()) {
    throw new Failure('guard-refused', `${path} is no regular file: it is not what Lifeboat wrote.`, {
      hint: 'Name a file in `metrics-file` that is missing yet, or that Lifeboat made; its folder has to be there.',
    });
  }
  if (found.size > MOST_BYTES)
    throw new Failure('guard-refused', `${path} has ${found.size} bytes: it is not a file that Lifeboat wrote.`);
}

/** node_exporter reads only what ends in `.prom`, and another user's process it is. */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  // Left by a killed run: whoever is here holds the lock.
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx');
  try {
    await file.writeFile(text);
    await file.chmod(0o644);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}

function couldNot(what: string, path: string, cause: unknown): Failure {
  const why = messageOf(cause);
  return new Failure('tool-failed', `${path} could not be ${what}: ${why}`, {
    cause,
    hint: 'Let the user of this runner write in the folder of `metrics-file`.',
  });
}
