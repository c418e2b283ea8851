import type { Guard } from './guard.ts';

/** What stands between a policy, or a slip, and the last good copy. */
export const retentionGuards: readonly Guard[] = [
  {
    what: 'nothing is pruned where nothing is proven',
    file: 'src/core/prune-judgement.ts',
    guard: 'mayRemove: !unproven && !tooMany',
    without: 'mayRemove: !tooMany',
    test: 'test/actions/prune.test.ts',
  },
  {
    what: 'a plan that removes too much is refused',
    file: 'src/core/prune-judgement.ts',
    guard: 'mayRemove: !unproven && !tooMany',
    without: 'mayRemove: !unproven',
    test: 'test/actions/prune.test.ts',
  },
  {
    what: 'the newest backup is never removed',
    file: 'src/core/retention.ts',
    guard: "...(backup === newest ? ['newest'] : []),\n",
    without: '\n',
    test: 'test/core/retention.test.ts',
  },
  {
    what: 'the newest proven backup is never removed',
    file: 'src/core/retention.ts',
    guard: "...(backup === newestProven ? ['newest proven'] : []),\n",
    without: '\n',
    test: 'test/core/retention.test.ts',
  },
  {
    what: 'a pin keeps what it is written beside',
    file: 'src/core/retention.ts',
    guard: 'const pin = activePin(backup, now);',
    without: 'const pin = activePin({ ...backup, pins: [] }, now);',
    test: 'test/core/retention.test.ts',
  },
  {
    what: 'a backup of the future is never the newest',
    file: 'src/core/catalog.ts',
    guard: 'return backup.takenAt.getTime() > now.getTime() + CLOCK_TOLERANCE_MS;',
    without: 'return backup.takenAt.getTime() > now.getTime() * 2 + CLOCK_TOLERANCE_MS;',
    test: 'test/core/retention.test.ts',
  },
  {
    what: 'what changed since the plan stays',
    file: 'src/core/removal.ts',
    guard: 'if (why !== undefined) return void outcome.left.set(id, why);',
    without: 'void why;',
    test: 'test/actions/prune.test.ts',
  },
  {
    what: 'a manifest goes before what it names',
    file: 'src/core/removal.ts',
    guard: '    await removeKeys(store, going, (key, { manifest }) => key === manifest);\n',
    without: '',
    test: 'test/actions/prune.test.ts',
  },
  {
    what: 'a mark left beside a whole backup is cleared',
    file: 'src/core/prune-carry-out.ts',
    guard: 'const finished = whole.filter((one) => one.inProgressAt !== undefined && !isFreshMark(one, now));',
    without:
      'const finished = whole.filter((one) => one.inProgressAt !== undefined && isFreshMark(one, now) && false);',
    test: 'test/actions/prune.test.ts',
  },
  {
    what: 'the newest is never archived',
    file: 'src/core/prune-archive.ts',
    guard: '![newest, newestSound, plan.newestProven].includes(one) &&',
    without: '![newestSound, plan.newestProven].slice(2).includes(one) && newest !== undefined &&',
    test: 'test/core/prune-archive.test.ts',
  },
  {
    what: 'what is locked is not moved',
    file: 'src/core/prune-archive.ts',
    guard: 'if ((await lockedUntil(store, backup, now)) === undefined) moves.push(backup);',
    without: 'if ((await lockedUntil(store, backup, now)) !== null) moves.push(backup);',
    test: 'test/core/prune-archive.test.ts',
  },
];
