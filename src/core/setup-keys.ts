import { Failure } from './failure.ts';
import type { World } from './ports.ts';
import { type Finding, finding } from './report.ts';

export interface KeyFile {
  readonly path: string;
  readonly identity: string;
  readonly recipients: readonly string[];
  readonly findings: readonly Finding[];
}

type Using = Pick<World, 'encryption' | 'files' | 'now'>;

/**
 * The key pair of a source: the one in the file, or a new one. A key is never written over, not even when told to:
 * without it backups that exist cannot be read.
 */
export async function provideKey(path: string, isDry: boolean, { encryption, files, now }: Using): Promise<KeyFile> {
  await refuseRepository(path, files);
  const there = await files.read(path);
  const identity = there ?? (await encryption.makeIdentity());
  const recipients = await encryption.recipientsOf(identity);
  if (there !== undefined) return { path, identity, recipients, findings: [say(path, 'is there and was left alone')] };
  const text = `# created: ${now().toISOString()}\n# public key: ${recipients.join(', ')}\n${identity}\n`;
  if (!isDry) await files.write(path, text, { secret: true });
  return { path, identity, recipients, findings: [say(path, isDry ? 'would be written' : 'was written')] };
}

/** Whoever may read a repository, now or ever, would read the secret. */
export async function refuseRepository(path: string, files: World['files']): Promise<void> {
  const repository = await files.repositoryOf(path);
  if (repository === undefined) return;
  throw new Failure(
    'guard-refused',
    `${path} lies in the repository ${repository}: a secret must not. Nothing was written.`,
    {
      hint: 'Name a folder outside of every repository with `--secrets-dir`.',
    },
  );
}

function say(path: string, what: string): Finding {
  const message = `${path} ${what}: it holds the secret key that decrypts backups.`;
  return finding('setup-written', 'pass', message, { subject: path });
}
