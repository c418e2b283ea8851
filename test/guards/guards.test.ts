import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { guards } from './guards.ts';

const ROOT = join(import.meta.dirname, '../..');

it.each(guards)('stands once where it is taken out: $what', ({ file, guard, test }) => {
  expect(readFileSync(join(ROOT, file), 'utf8').split(guard)).toHaveLength(2);
  expect(existsSync(join(ROOT, test))).toBe(true);
});
