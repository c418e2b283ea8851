import { readdirSync, realpathSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../core/failure.ts';
import { fileSystemOf } from '../core/store-traits.ts';
import type { Machine, Room } from '../core/workplace.ts';
import { childEnvironment } from './environment.ts';
import { askProgram } from './short-command.ts';

const PROGRAMS = ['zstd', 'unshare', 'setpriv', 'flock'];

/** Looks at the machine and changes nothing. */
export async function examineMachine(env: NodeJS.ProcessEnv, scratchDir: string): Promise<Machine> {
  const programs = await Promise.all(
    PROGRAMS.map(async (name) => ({ name, version: await versionOf(name, childEnvironment(env, { libpq: false })) })),
  );
  const temp = env.RUNNER_TEMP;
  const runner = { version: runnerVersion(process.execPath), temp: temp ? await roomOf(temp) : undefined };
  return {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    programs,
    scratch: await roomOf(scratchDir),
    runner: env.GITHUB_ACTIONS === 'true' ? runner : undefined,
  };
}

/** The first number in what `--version` prints. */
async function versionOf(program: string, env: Readonly<Record<string, string>>): Promise<string | undefined> {
  try {
    const said = await askProgram({ program, args: ['--version'], env });
    return /\d+(\.\d+)+/.exec(said)?.[0] ?? said.trim();
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

async function roomOf(folder: string): Promise<Room> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    const found = await statfs(path).catch((error: unknown) => {
      if (path === dirname(path)) throw error;
    });
    if (found === undefined) continue;
    const { bavail, bsize, blocks, type } = found;
    return { path, freeBytes: bavail * bsize, totalBytes: blocks * bsize, fileSystem: fileSystemOf(type) };
  }
}

/**
 * A runner that has updated itself keeps each version in folders of its own, `bin.2.330.0` and
 * `externals.2.330.0`, with links to the newest; the node it runs us with lies in one of them.
 *
 * @param node path of that program
 */
export function runnerVersion(node: string): string | undefined {
  const root = /^(.*)\/externals(?:\.\d+\.\d+\.\d+)?\//.exec(realPath(node))?.[1];
  if (root === undefined) return undefined;
  const linked = /\/bin\.(\d+\.\d+\.\d+)$/.exec(realPath(join(root, 'bin')))?.[1];
  if (linked !== undefined) return linked;
  const names = namesIn(join(root, 'bin')).concat(namesIn(root));
  return names.flatMap((name) => /^(?:externals|bin)\.(\d+\.\d+\.\d+)$/.exec(name)?.[1] ?? []).at(-1);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
