import type { ConcludedDrill } from './drill-record.ts';
import type { Facts } from './facts.ts';
import type { DrillDetails } from './records.ts';

/**
 * What an auditor asks of a drill beside its verdict: what was restored, what it was compared with, and how long each
 * step took. Counts only, since anybody who lists the store can read it.
 *
 * @param withNames false for encrypted backups: what the user asserts names tables
 */
export function evidenceOf({ plan, outcome, objectives }: ConcludedDrill, withNames: boolean): DrillDetails {
  const { manifest } = plan.copies.chosen;
  const { expected, found, verified, assertions, steps } = outcome;
  return {
    takenAt: manifest.takenAt,
    scope: manifest.scope,
    artifacts: manifest.artifacts.map(({ key, bytes, sha256 }) => ({
      ...{ key, bytes, sha256 },
      matched: verified.includes(key),
    })),
    ...(expected && {
      facts: { level: expected.level, expected: countsOf(expected), found: found ? countsOf(found) : null },
    }),
    assertions: assertions.map(({ name, sql, status }) => (withNames ? { name, sql, status } : { status })),
    objectives: {
      maxDurationSeconds: secondsOf(objectives.maxDurationMs),
      maxDataLossSeconds: secondsOf(objectives.maxDataLossMs),
    },
    steps: steps.map(({ name, seconds }) => ({ name, seconds })),
  };
}

function countsOf(facts: Facts): Record<string, number> {
  return {
    tables: facts.tables.length,
    rows: facts.tables.reduce((sum, { rows }) => sum + rows, 0),
    materializedViews: facts.materializedViews.length,
    sequences: facts.sequences.length,
    schemaObjects: facts.schema.length,
    extensions: facts.extensions.length,
    roles: facts.roles.length,
    settings: facts.settings.length,
    ...(facts.largeObjects && { largeObjects: facts.largeObjects.count, largeObjectBytes: facts.largeObjects.bytes }),
  };
}

function secondsOf(ms: number | undefined): number | null {
  return ms === undefined ? null : ms / 1000;
}
