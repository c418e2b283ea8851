import { expect, it } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { Artifact } from '../../../src/core/manifest.ts';
import { explainRestore } from '../../../src/engines/postgresql/restore-failure.ts';
import { planPhases } from '../../../src/engines/postgresql/restore-plan.ts';
import { createStatements } from '../../../src/engines/postgresql/restore-subscriptions.ts';
import { keptMark, readMark, unfinishedMark } from '../../../src/engines/postgresql/target-mark.ts';
import { artifactOf, manifestOf } from '../../fixtures.ts';

const roles = {
  one: ['dump'],
  streams: ['pre-data', 'data', 'data', 'post-data'],
  rows: ['schema', 'data'],
} as const satisfies Record<string, readonly Artifact['role'][]>;

it.each([
  { of: 'one', part: 'schema', steps: ['dump pre-data,post-data'] },
  { of: 'one', part: 'data', steps: ['dump pre-data,data'] },
  { of: 'streams', part: 'schema', steps: ['pre-data all', 'post-data post-data'] },
  { of: 'streams', part: 'data', steps: ['pre-data all', 'data all; data all'] },
  { of: 'rows', part: 'schema', steps: ['schema pre-data', 'schema post-data'] },
  { of: 'rows', part: 'data', steps: ['schema pre-data', 'data all'] },
] as const)('restores of $of the $part by $steps', ({ of, part, steps }) => {
  const artifacts = roles[of].map((role, at) => ({ ...artifactOf(`${at}.dump.zst`, Buffer.alloc(10)), role }));
  const scope = of === 'rows' ? 'data' : 'full';
  const manifest = manifestOf({ source: 'orders', id: 'x', scope, takenAt: new Date(0), artifacts });
  const planned = planPhases(manifest, part).map((phase) =>
    phase.map(({ artifact, sections }) => `${artifact.role} ${sections.join() || 'all'}`).join('; '),
  );
  expect(planned).toEqual(steps);
});

it.each([
  `CREATE SUBSCRIPTION feed CONNECTION 'host=db password=it''s secret' PUBLICATION news WITH (connect = false);`,
  `CREATE SUBSCRIPTION feed CONNECTION E'host=db password=\\'secret' PUBLICATION news WITH (connect = false);`,
  `CREATE SUBSCRIPTION feed CONNECTION $$secret$$ PUBLICATION news;`,
])('tells how a subscription was made without its connection: %s', (sql) => {
  const [said = ''] = createStatements(`SET x = 1;\n\n${sql}\n\n\nALTER SUBSCRIPTION feed OWNER TO postgres;\n`);
  expect(said).toMatch(/^CREATE SUBSCRIPTION feed CONNECTION /);
  expect(said).not.toContain('secret');
});

it('knows its own marks, and no other comment', () => {
  expect(readMark(unfinishedMark('shop', 'r1'))).toEqual({ what: 'unfinished', target: 'shop', restore: 'r1' });
  const kept = keptMark({ target: 'shop', restore: 'r1', since: '2026-11-26T00:00:00Z', comment: 'live' });
  expect(readMark(kept)).toEqual({ what: 'kept', target: 'shop', restore: 'r1' });
  expect([null, 'live', 'Lifeboat restore, unfinished, may be dropped: {}'].map(readMark)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it.each([
  ['could not extend file "base/1": No space left on device', 'disk-full'],
  ['server closed the connection unexpectedly', 'target-failed'],
  ['canceling statement due to user request', 'target-failed'],
  ['out of shared memory', 'target-failed'],
  ['relation "x" does not exist', 'restore-failed'],
  ['role "app" does not exist', 'restore-failed'],
])('speaks of the target server when it says: %s', (said, code) => {
  const message = `pg_restore exited with 1: pg_restore: error: could not execute query: ERROR:  ${said}`;
  const explained = explainRestore(new Failure('tool-failed', message), 'database.dump.zst', 'target');
  expect(explained).toMatchObject({ code });
  expect(JSON.stringify([explained, (explained as Failure).message])).not.toMatch(/scratch|drill/);
});
