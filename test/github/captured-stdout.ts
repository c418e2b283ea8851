import * as core from '@actions/core';
import { onTestFinished, vi } from 'vitest';
import { openToolkit, type Toolkit } from '../../src/github/toolkit.ts';

/** The real toolkit behind the real guard, and what arrives beyond it until the test ends. */
export async function captureStdout(): Promise<{ toolkit: Toolkit; lines: () => string[] }> {
  const written: string[] = [];
  const take = (chunk: string | Uint8Array) => written.push(String(chunk)) > 0;
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockImplementation(take));
  const exitCode = process.exitCode;
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
    process.exitCode = exitCode;
  });
  const { past } = await openToolkit();
  // The toolkit's one summary keeps its path and its text, which a step uses once.
  const Summary = core.summary.constructor as new () => typeof core.summary;
  const toolkit = { core: { ...core, summary: new Summary() }, past };
  return { toolkit, lines: () => written.join('').split(/\r\n|\r|\n/) };
}
