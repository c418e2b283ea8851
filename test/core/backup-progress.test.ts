import { expect, it } from 'vitest';
import { type BackupProgress, beginPart, describeProgress, type ProgressPart } from '../../src/core/backup-progress.ts';

const MB = 1_000_000;

function part(name: string, estimatedBytes: number): ProgressPart {
  return { name, estimatedBytes, storedBytes: 0, plainBytes: () => undefined, isOver: false };
}

function progress(): BackupProgress {
  return { startedAt: new Date(0), doing: 'begin', parts: [] };
}

it('says of one stream what was read, of how much, and how fast', () => {
  const one = progress();
  beginPart(one, part('database.dump', 1_000 * MB));
  const line = describeProgress(one, { plain: 310 * MB, stored: 40 * MB }, { plain: 210 * MB, stored: 30 * MB });
  expect(line).toMatch(/^database\.dump: .* read \(31 % of about .*\), .* stored, .*\/s$/);
});

it('sums streams that run side by side, and names those that still do', () => {
  const both = progress();
  const first = part('data-01.dump', 600 * MB);
  beginPart(both, first);
  beginPart(both, part('data-02.dump', 400 * MB));
  const look = { plain: 500 * MB, stored: 50 * MB };
  expect(describeProgress(both, look, look)).toMatch(/^data-01\.dump, data-02\.dump: .*\(50 %/);
  first.isOver = true;
  expect(describeProgress(both, look, look)).toMatch(/^data-02\.dump: .*\(50 %/);
});

it('begins anew with a stream that nothing runs beside', () => {
  const one = progress();
  const dump = part('database.dump', 600 * MB);
  beginPart(one, dump);
  dump.isOver = true;
  beginPart(one, part('globals.sql', 10));
  expect(one.parts.map(({ name }) => name)).toEqual(['globals.sql']);
});
