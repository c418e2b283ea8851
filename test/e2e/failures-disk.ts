import { execFileSync } from 'node:child_process';
import { chmodSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export interface SmallDisk {
  readonly path: string;
  /** Takes all the room as soon as a path matches. */
  fillWhenThere(pattern: string): Promise<void>;
  readOnly(): void;
}

/** Why no file system of our own can be mounted here, or undefined. With LIFEBOAT_TEST_REQUIRE_ALL=1 that is an error. */
export function whyNoDisk(): string | undefined {
  const folder = mkdtempSync('/var/tmp/lifeboat-mount-');
  try {
    const disk = mount(folder, 4);
    disk.unmount();
    return undefined;
  } catch (error) {
    const why = `a loop mount: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
    if (process.env.LIFEBOAT_TEST_REQUIRE_ALL === '1') throw new Error(why);
    console.warn(`Skipped, needs ${why}`);
    return why;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An ext4 file system of its own for this test, in a file. Quotas and tmpfs would not do: scratch servers refuse memory. */
export function smallDisk(sizeMiB: number): SmallDisk {
  const folder = mkdtempSync('/var/tmp/lifeboat-disk-');
  chmodSync(folder, 0o755);
  const { path, unmount } = mount(folder, sizeMiB);
  onTestFinished(() => {
    unmount();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    path,
    readOnly: () => run('mount', '-o', 'remount,ro', path),
    fillWhenThere: async (pattern) => {
      while (globSync(pattern, { cwd: path }).length === 0) await delay(2);
      // In ever smaller pieces: others write to it at the same time.
      const fill =
        'for size in 256M 32M 4M 512K 64K 4K; do while fallocate -l $size ballast-$((++n)); do :; done; done; :';
      run('bash', '-c', `cd ${path} && ${fill}`);
    },
  };
}

function mount(folder: string, sizeMiB: number): { path: string; unmount: () => void } {
  const [image, path] = [join(folder, 'image'), join(folder, 'disk')];
  mkdirSync(path);
  run('truncate', '-s', `${sizeMiB}M`, image);
  run('mkfs.ext4', '-q', '-m', '0', image);
  run('mount', '-o', 'loop', image, path);
  return { path, unmount: () => run('umount', '--lazy', path) };
}

function run(program: string, ...args: string[]): void {
  const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
  execFileSync(program, args, { env: { ...process.env, PATH }, stdio: 'ignore' });
}
