import { availableParallelism } from 'node:os';
import { Failure } from '../../core/failure.ts';
import type { Artifact, Manifest } from '../../core/manifest.ts';
import type { RestoredPart } from '../../core/ports.ts';

type Section = 'pre-data' | 'data' | 'post-data';

/** One archive, or one half of it, on its way into a database. */
export interface Step {
  readonly artifact: Artifact;
  /** Empty: all of the archive. */
  readonly sections: readonly Section[];
}

const SECTIONS_OF: Readonly<Record<RestoredPart, readonly Section[]>> = {
  all: ['pre-data', 'data', 'post-data'],
  schema: ['pre-data', 'post-data'],
  data: ['pre-data', 'data'],
};

/** Of a step what belongs to the part that is restored; nothing when none of it does. */
function restrict(step: Step, part: RestoredPart): Step[] {
  const { artifact, sections } = step;
  if (part === 'all') return [step];
  const one = SECTIONS_OF.all.filter((section) => section === artifact.role);
  const held = sections.length > 0 ? sections : one.length > 0 ? one : SECTIONS_OF.all;
  const wanted = held.filter((section) => SECTIONS_OF[part].includes(section));
  if (wanted.length === 0) return [];
  return [wanted.length === held.length ? step : { artifact, sections: wanted }];
}

/**
 * The order in which archives make a database; steps of one phase do not wait for each other. Rows come
 * between the halves of their schema: with indexes, keys and triggers in place they would be checked and
 * changed on their way.
 *
 * @param part `data`: rows in bare tables, without indexes, keys and triggers
 * @throws {Failure} `backup-invalid` when there is nothing to restore
 */
export function planPhases(manifest: Manifest, part: RestoredPart = 'all'): Step[][] {
  const phases = planAll(manifest).map((steps) => steps.flatMap((step) => restrict(step, part)));
  return phases.filter((steps) => steps.length > 0);
}

function planAll(manifest: Manifest): Step[][] {
  const archives = manifest.artifacts.filter(({ format }) => format === 'pg_dump-custom');
  const of = (role: string) => archives.filter((artifact) => artifact.role === role);
  const all = (artifacts: readonly Artifact[], sections: readonly Section[] = []) =>
    artifacts.map((artifact) => ({ artifact, sections }));
  const whole = [...of('dump'), ...(manifest.scope === 'schema' ? of('schema') : [])];
  if (whole.length > 0) return whole.map((artifact) => all([artifact]));
  const phases = [
    [...all(of('pre-data')), ...all(of('schema'), ['pre-data'])],
    all(of('data')),
    all([...of('schema'), ...of('post-data')], ['post-data']),
  ].filter((steps) => steps.length > 0);
  if (phases.length > 0) return phases;
  throw new Failure('backup-invalid', `The manifest of ${manifest.id} names no archive of pg_dump.`);
}

/** Streams restored at a time when nothing is said: what the backup has, at most one a core. */
export function restoreJobs({ artifacts }: Manifest, given: number | undefined): number {
  const streams = artifacts.filter(({ role }) => role === 'data').length;
  return given ?? Math.max(1, Math.min(streams, availableParallelism()));
}
