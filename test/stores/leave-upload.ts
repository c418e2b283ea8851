import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('killed-upload.ts', import.meta.url));

/** Begins an upload in another process and kills that in the middle. */
export async function leaveUpload(url: string, key: string): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, url, key], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [said] = await Promise.race([once(child.stdout, 'data'), ended]);
  if (!String(said).includes('under way')) throw new Error(`The upload of ${key} ended before it could be killed.`);
  child.kill('SIGKILL');
  await ended;
}
