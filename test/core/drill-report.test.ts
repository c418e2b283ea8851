import { expect, it } from 'vitest';
import type { ConcludedDrill, WrittenRecord } from '../../src/core/drill-record.ts';
import { describeDrill } from '../../src/core/drill-report.ts';
import type { Proof } from '../../src/core/records.ts';
import { finding } from '../../src/core/report.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { artifactOf, backupAt, idAt, manifestOf } from '../fixtures.ts';

const takenAt = new Date('2026-11-21T00:00:00Z');

async function headlineOf(proof: Proof): Promise<Record<string, string>> {
  const artifact = artifactOf('database.dump.zst', Buffer.alloc(1_000));
  const manifest = manifestOf({ source: 'orders', id: idAt(takenAt), scope: 'full', artifacts: [artifact], takenAt });
  const chosen = { backup: backupAt('2026-11-21'), manifest, sha256: '', skipped: [] };
  const drill = {
    plan: { copies: { chosen, store: memoryStore(), catalog: [] } },
    outcome: { tables: [], restoreMs: 2_000 },
    ...{ startedAt: new Date('2026-11-21T00:00:16.700Z'), proof, dataLossSeconds: 17, alsoRead: [] },
  };
  const written = { key: 'key', sha256: '', record: {}, findings: [] } as unknown as WrittenRecord;
  const report = await describeDrill(drill as unknown as ConcludedDrill, written, [finding('rto', 'pass', 'x')]);
  expect(report.outputs['data-loss-seconds']).toBe('17');
  return Object.fromEntries(report.headline.map(({ name, value }) => [name, value]));
}

it('counts the age of a proven backup and what would be lost from one moment', async () => {
  expect(await headlineOf('proven')).toMatchObject({
    Backup: expect.stringContaining(', 16.7s old,'),
    'Data loss': '16.7s',
  });
});

it.each(['disproven', 'inconclusive'] as const)('gives no data loss for a backup that is %s', async (proof) => {
  expect(await headlineOf(proof)).toMatchObject({ 'Data loss': 'unknown: this backup is not proven' });
});
