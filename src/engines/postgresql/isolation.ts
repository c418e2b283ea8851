import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../core/failure.ts';
import { childEnvironment, type Environment } from '../../sys/environment.ts';
import { type Command, runText } from '../../sys/process.ts';

/**
 * How untrusted code is run: no network, no view of other processes, none of the runner's files, no
 * rights, no environment. What is not possible here is said in `notIsolated`.
 */
export interface Isolation {
  wrap(program: string, args: readonly string[]): Command;
  readonly notIsolated: readonly string[];
  /** Who the server runs as; undefined: as we do. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /** The server is the first process of a namespace: ending its launcher ends all it ever started. */
  readonly ownProcesses: boolean;
}

/** Debian's `nobody`. Not `postgres`: it owns the files of a production server on the same machine. */
const NOBODY = { uid: 65_534, gid: 65_534 };
/** Without these, a process that gives up its uid still has none of our rights to regain. */
const NO_RIGHTS = ['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'];
const OWN_NAMESPACES = ['-n', '-p', '-i', '-m', '--fork', '--kill-child=KILL'];
/** What a server may see: programs, libraries, configuration. Everything else at the top is covered. */
const KEPT = /^(bin|dev|etc|gnu|lib\w*|nix|proc|sbin|snap|sys|usr)$/;
/** Memory and terminals that programs of one user share. */
const SHARED = ['/dev/mqueue', '/dev/pts'];
/** Where Debian keeps dictionaries of text search that the server's own folder links to. */
const DICTIONARIES = '/var/cache/postgresql';
// An allow-list, since nobody knows all places of keys, backups, other scratch folders and sockets, which
// no network namespace stops. What is shown again is opened before its parent is covered. The kernel's
// process list would show the environment of the step to a server of the same user. initdb needs /dev/shm.
const HIDE = `set -f; umask 022; IFS='
'; i=3; for d in $SHOW; do eval "exec $i<\\"\\$d\\""; i=$((i + 1)); done
for d in $HIDE; do mount -t tmpfs -o mode=755,size=1m none "$d" || exit 1; done
i=3; for d in $SHOW; do mkdir -p "$d" && mount -c --bind "/proc/self/fd/$i" "$d" || exit 1
eval "exec $i<&-"; i=$((i + 1)); done
[ ! -d /dev/shm ] || mount -t tmpfs -o mode=1777,size=64m none /dev/shm || exit 1
mount -t proc proc /proc 2>/dev/null || mount -t tmpfs -o mode=755,size=1m none /proc || exit 1
mount -o remount,bind,ro / 2>/dev/null
unset HIDE SHOW IFS i d; exec "$@"`;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Finds out how far this machine lets us isolate a server.
 *
 * @param own the one folder the server may write to
 * @param programs the folder of its programs
 * @throws {Failure} `tool-missing`: as root there must be setpriv, since PostgreSQL refuses to run as root
 */
export async function planIsolation(
  env: NodeJS.ProcessEnv,
  { own, programs }: { readonly own: string; readonly programs: string },
): Promise<Isolation> {
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? NOBODY : undefined;
  const rights = [
    'setpriv',
    ...(user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']),
    ...NO_RIGHTS.slice(0, isRoot ? undefined : 1),
    // Set last of all: a change of user clears it.
    '--pdeathsig=KILL',
    '--',
  ];
  const launchers = isRoot ? asRoot(rights) : asUser(rights);
  for (const launcher of launchers) {
    const sight = launcher.isolates === 'all' ? planSight([own, dirname(programs)]) : {};
    const plan = { words: launcher.words, env: { ...serverEnvironment(env), ...sight } };
    // Not any program: one whose libraries lie out of sight must not be found out only by the drill.
    if (await works(plan, join(programs, 'postgres'))) return describe(launcher, plan, user);
  }
  if (isRoot) throw noSetpriv();
  return describe({ words: [], isolates: 'nothing' }, { words: [], env: serverEnvironment(env) }, user);
}

interface Launcher {
  readonly words: readonly string[];
  readonly isolates: 'all' | 'network' | 'nothing';
}

function asRoot(rights: readonly string[]): Launcher[] {
  return [
    { words: ['unshare', ...OWN_NAMESPACES, '--', 'sh', '-c', HIDE, 'sh', ...rights], isolates: 'all' },
    { words: ['unshare', '-n', '--', ...rights], isolates: 'network' },
    { words: rights, isolates: 'nothing' },
  ];
}

function asUser(rights: readonly string[]): Launcher[] {
  // The rights in the new user namespace are needed for the second step only, and given up after it.
  const enter = ['unshare', '--map-current-user', '--keep-caps', '--'];
  const drop = rights.flatMap((word) =>
    word === '--' ? [...NO_RIGHTS.slice(1), '--ambient-caps=-all', '--'] : [word],
  );
  return [
    { words: [...enter, 'unshare', ...OWN_NAMESPACES, '--', 'sh', '-c', HIDE, 'sh', ...drop], isolates: 'all' },
    { words: ['unshare', '--map-current-user', '-n', '--', ...rights], isolates: 'network' },
    { words: rights, isolates: 'nothing' },
  ];
}

async function works(plan: { words: readonly string[]; env: Environment }, server: string): Promise<boolean> {
  const [program = '', ...args] = [...plan.words, server, '--version'];
  return runText({ program, args, env: plan.env, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

function describe(
  { isolates }: Launcher,
  plan: { words: readonly string[]; env: Environment },
  user: Isolation['user'],
): Isolation {
  const notIsolated = [
    ...(isolates === 'nothing' ? ['The network was open: this machine refuses `unshare -n`.'] : []),
    ...(isolates === 'all' ? [] : ["Other servers' sockets and the runner's files were in sight: no mount namespace."]),
    ...(user === undefined && isolates === 'nothing' ? ['It ran as the same user as this step.'] : []),
  ];
  return {
    wrap: (program, args) => {
      const [first, ...rest] = [...plan.words, program, ...args];
      return { program: first ?? program, args: rest, env: plan.env, cwd: '/' };
    },
    notIsolated,
    user,
    ownProcesses: isolates === 'all',
  };
}

/** Nothing of the step's: no token, no PG*, no HOME. The runner finds orphans by its tracking id. */
function serverEnvironment(env: NodeJS.ProcessEnv): Environment {
  const { RUNNER_TRACKING_ID: tracking } = childEnvironment(env, { libpq: false });
  return { PATH, LANG: 'C', ...(tracking === undefined ? {} : { RUNNER_TRACKING_ID: tracking }) };
}

/** Folders to cover, and those below them to show again, for the launcher; a path of ours has no line end. */
function planSight(needed: readonly string[]): { HIDE: string; SHOW: string } {
  const isKept = (path: string) => KEPT.test(path.split('/')[1] ?? '');
  const tops = readdirSync('/', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const hidden = [...tops.map(({ name }) => `/${name}`).filter((path) => !isKept(path)), ...SHARED.filter(isFolder)];
  // The real path first: another one may lead through a link into what is covered.
  const shown = [...needed, DICTIONARIES].filter(isFolder).flatMap((path) => [realpathSync(path), path]);
  return {
    HIDE: hidden.join('\n'),
    SHOW: [...new Set(shown)].filter((path) => path !== '/' && !isKept(path)).join('\n'),
  };
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function noSetpriv(): Failure {
  return new Failure('tool-missing', 'As root, a scratch server cannot be started: setpriv is missing or refused.', {
    hint: 'Install util-linux, or run the step as an ordinary user. PostgreSQL refuses to run as root.',
  });
}
