import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A file system of its own, in a file. */
export interface Disk {
  readonly path: string;
  /** Takes all the room there is, though others write at the same time. */
  fill(): void;
  /** What the kernel does after an error of the disk: nothing can be written any more, to open files neither. */
  readOnly(): void;
  /** Room and rights as before, after a check such as a machine does when it starts. */
  mend(): void;
  remove(): void;
}

const FILL =
  'n=0; for size in 256M 32M 4M 512K 64K 4K; do while fallocate -l $size ballast-$((++n)); do :; done; done; :';

/** Why no disk can be made here, or undefined; as an ordinary user nothing may be mounted. */
export function whyNoDisk(): string | undefined {
  const folder = mkdtempSync('/var/tmp/lifeboat-mount-');
  try {
    mountDisk(folder, 4).remove();
    return undefined;
  } catch (error) {
    return `a loop mount: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes and mounts `<folder>/disk`; ext4, since scratch servers refuse memory. */
export function mountDisk(folder: string, sizeMiB: number): Disk {
  const [image, path] = [join(folder, 'disk.image'), join(folder, 'disk')];
  mkdirSync(path, { recursive: true });
  run('truncate', '-s', `${sizeMiB}M`, image);
  run('mkfs.ext4', '-q', '-m', '0', image);
  run('mount', '-o', 'loop', image, path);
  let isAborted = false;
  return {
    path,
    fill: () => run('bash', '-c', `cd ${path} && ${FILL}`),
    readOnly: () => {
      isAborted = true;
      run('mount', '-o', 'remount,abort', path);
    },
    mend: () => {
      if (isAborted) mountAgain(image, path);
      isAborted = false;
      for (const name of readdirSync(path).filter((one) => one.startsWith('ballast-'))) rmSync(join(path, name));
    },
    remove: () => run('umount', '--lazy', path),
  };
}

/** Mounts a small disk without any room over a folder, which stays its owner's; `remove` brings back what was there. */
export function fillFolder(path: string): Pick<Disk, 'remove'> {
  const { uid, gid, mode } = statSync(path);
  const folder = mkdtempSync('/var/tmp/lifeboat-full-');
  const disk = mountDisk(folder, 16);
  const remove = () => {
    disk.remove();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    chownSync(disk.path, uid, gid);
    chmodSync(disk.path, mode);
    disk.fill();
    run('mount', '--bind', disk.path, path);
  } catch (error) {
    remove();
    throw error;
  }
  return {
    remove: () => {
      run('umount', '--lazy', path);
      remove();
    },
  };
}

/** A namespace that is just going away may hold it yet; mounted over that, it would be what it was. */
const DETACHED = 'for i in $(seq 100); do [ -z "$(losetup -j "$1")" ] && exit 0; sleep 0.1; done; exit 1';

function mountAgain(image: string, path: string): void {
  run('umount', path);
  run('bash', '-c', DETACHED, 'detached', image);
  // 1: it found what the abort left, and put it right.
  run('bash', '-c', `e2fsck -fy ${image} || [ $? = 1 ]`);
  run('mount', '-o', 'loop', image, path);
}

function run(program: string, ...args: string[]): void {
  const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
  execFileSync(program, args, { env: { ...process.env, PATH }, stdio: ['ignore', 'ignore', 'pipe'] });
}
