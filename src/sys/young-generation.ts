import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the part of the heap for new objects as small as it is. V8 doubles it whenever as much as it holds has
 * survived, up to 100 MB and more: of ten thousand backups 20 MB stay, and the rest would be room for garbage.
 * A flag of the command line does the same, but an action has none.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
