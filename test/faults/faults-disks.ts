import type { Disk } from './disk.ts';
import type { Fault } from './fault.ts';
import { randomMoment } from './moments.ts';
import type { Action } from './site.ts';

const fill = (disk: Disk) => disk.fill();
const readOnly = (disk: Disk) => disk.readOnly();

function diskFault(name: string, action: Action, says: RegExp, act: (disk: Disk) => void): Fault {
  return {
    ...{ group: 'Disk', name, action, store: 'disk', moments: 3 },
    // At its end everything is written; and a disk that is only read may be full.
    ...{ expected: 'either', says },
    // All of a backup is written to it; a drill only reads the store, and its scratch may have room enough by then.
    endsRed: action === 'backup',
    // Nothing can be removed from it either.
    mayLeave: act === readOnly,
    inject: async ({ disk }, dice, ground) => {
      if (disk === undefined) throw new Error('There is no disk here.');
      const share = dice.share();
      let hit = false;
      return {
        hit: () => hit,
        during: async (run) => {
          if (!(await randomMoment(run, share, ground.usualMs[action]))) return;
          act(disk);
          hit = true;
        },
        mend: async () => disk.mend(),
      };
    },
  };
}

export const diskFaults: readonly Fault[] = [
  diskFault('the disk of the store gets full', 'backup', /no space left on device.*-> .*(Free space|prune)/is, fill),
  diskFault('the disk of store and scratch gets full', 'restore-drill', /->.*([Ff]ree|room|scratch-dir)/s, fill),
  diskFault(
    'the store gets read-only',
    'backup',
    /(read-only.*-> .*remount|i\/o error, fsync.*-> .*dmesg)/is,
    readOnly,
  ),
  diskFault('store and scratch get read-only', 'restore-drill', /->/, readOnly),
];
