import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const program = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'chromium'))
  .find((path) => existsSync(path));

/** Why no browser can be started here, or undefined. With LIFEBOAT_TEST_REQUIRE_ALL=1 that is an error. */
export function whyNoChromium(): string | undefined {
  if (program !== undefined) return undefined;
  const why = 'chromium not found: apt-get install --no-install-recommends chromium';
  if (process.env.LIFEBOAT_TEST_REQUIRE_ALL === '1') throw new Error(why);
  console.warn(`Skipped, needs a browser: ${why}`);
  return why;
}

/** Debian's own, without a window. */
export async function startChromium(): Promise<Browser> {
  if (program === undefined) throw new Error('There is no chromium on the PATH.');
  return chromium.launch({ executablePath: program });
}
