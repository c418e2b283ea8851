import { type Finding, finding } from './report.ts';
import { formatBytes } from './size.ts';
import type { Machine, Room } from './workplace.ts';

const NODE_MAJOR = 24;
const RUNNER: readonly number[] = [2, 327, 1];
/** Less is no room for a database or for a checkout. */
const LITTLE_BYTES = 1024 ** 3;
const PACKAGES: Readonly<
  Record<string, { readonly of: string; readonly what: string; readonly status: 'warn' | 'fail' }>
> = {
  zstd: { of: 'zstd', what: 'backups and drills need it', status: 'fail' },
  unshare: { of: 'util-linux', what: 'drills isolate a scratch server with it', status: 'warn' },
  setpriv: { of: 'util-linux', what: 'drills take the rights from a scratch server with it', status: 'warn' },
  flock: { of: 'util-linux', what: '`metrics-file` needs it', status: 'warn' },
};

/** Judges the machine: programs, versions, room. */
export function judgeMachine(machine: Machine): Finding[] {
  return [...judgeVersions(machine), ...machine.programs.map(judgeProgram), ...judgeRooms(machine)];
}

function judgeVersions({ node, platform, runner }: Machine): Finding[] {
  const isOld = Number.parseInt(node, 10) < NODE_MAJOR;
  const hint = `Install Node ${NODE_MAJOR}, or let bin/lifeboat find a runner's own.`;
  return [
    finding('runner-version', isOld ? 'fail' : 'pass', `This is Node ${node} on ${platform}.`, isOld ? { hint } : {}),
    ...(runner === undefined ? [] : [judgeRunner(runner.version)]),
  ];
}

/** One that is too old has no Node 24, so where its number is not known, it is new enough. */
function judgeRunner(version: string | undefined): Finding {
  if (version === undefined)
    return finding('runner-version', 'pass', 'The runner has Node 24; its version is not known.');
  const parts = version.split('.').map(Number);
  const differing = parts.findIndex((part, index) => part !== RUNNER[index]);
  const isOld = differing >= 0 && (parts[differing] ?? 0) < (RUNNER[differing] ?? 0);
  const least = RUNNER.join('.');
  return finding(
    'runner-version',
    isOld ? 'fail' : 'pass',
    `The runner is ${version}; ${least} is the oldest that works.`,
    {
      ...(isOld && { hint: 'Let the runner update itself, or install a newer one from github.com/actions/runner.' }),
    },
  );
}

function judgeProgram({ name, version }: Machine['programs'][number]): Finding {
  if (version !== undefined) return finding('runner-program', 'pass', `${name} ${version} is here.`);
  const { of, what, status } = PACKAGES[name] ?? { of: name, what: 'it is needed', status: 'fail' };
  return finding('runner-program', status, `There is no ${name} here; ${what}.`, {
    hint: `\`sudo apt-get install --no-install-recommends ${of}\``,
  });
}

function judgeRooms({ scratch, runner }: Machine): Finding[] {
  const temp = runner?.temp;
  return [
    judgeScratch(scratch),
    ...(temp === undefined || temp.freeBytes >= LITTLE_BYTES
      ? []
      : [
          finding('scratch-room', 'warn', `${roomText(temp)}: the runner itself runs out of room.`, {
            subject: temp.path,
            hint: `\`du -xhd1 ${temp.path} | sort -h\` on the runner shows what fills it.`,
          }),
        ]),
  ];
}

function judgeScratch(room: Room): Finding {
  const { path, freeBytes, totalBytes, fileSystem } = room;
  const numbers = { freeBytes, totalBytes };
  const hint = 'Name with `scratch-dir` a folder on a local disk with room for the whole database.';
  const say = (status: Finding['status'], why: string) =>
    finding('scratch-room', status, `Scratch servers live on ${fileSystem.name}, ${roomText(room)}${why}`, {
      subject: path,
      numbers,
      ...(status !== 'pass' && { hint }),
    });
  if (fileSystem.kind === 'memory') return say('fail', ': a drill would fill the memory, and is refused.');
  if (fileSystem.kind === 'network') return say('warn', ': a drill over the network is slow.');
  return freeBytes < LITTLE_BYTES ? say('warn', ': hardly a database fits.') : say('pass', '.');
}

function roomText({ freeBytes, totalBytes }: Room): string {
  return `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} are free`;
}
