import { z } from 'zod';
import { findBackup } from '../core/find-backup.ts';
import { withStores } from '../core/open-stores.ts';
import { makePin, pinCopies, untilWhen } from '../core/pins.ts';
import type { World } from '../core/ports.ts';
import { type Report, report } from '../core/report.ts';
import { backup, looking } from '../github/inputs/catalog.ts';
import { parseInputs, type RawInputs, text, timespan } from '../github/inputs.ts';

export const description = 'Pins a backup in every store that holds it: prune keeps it until the pin runs out.';

export const positional = ['backup'];

export const inputs = z.strictObject({
  backup,
  reason: text('Why, for whoever finds the pin later, e.g. `before the move to 17`.'),
  for: timespan('How long the pin holds, e.g. `8w`; for ever when empty.', {}, 1).optional(),
  ...looking,
});

export async function pin(raw: RawInputs, world: World): Promise<Report> {
  const given = parseInputs(inputs, raw);
  return withStores(world, given.store, async ({ stores, findings }) => {
    const found = await findBackup(stores, { wanted: given.backup, source: given.source }, world);
    const record = makePin(given.reason, given.for, world.now(), world.run.actor);
    const pinned = await pinCopies(found, record);
    return report(`Pin of ${found.source}/${found.id}`, [...findings, ...found.findings, ...pinned], {
      headline: [
        { name: 'Pinned', value: `${untilWhen(record)}: ${record.reason}` },
        { name: 'To let go of it', value: `lifeboat unpin ${found.id} --source ${found.source}` },
      ],
      sources: [found.source],
    });
  });
}
