import { backupsGuards } from './backups.ts';
import { catalogGuards } from './catalog.ts';
import { databasesGuards } from './databases.ts';
import type { Guard } from './guard.ts';
import { hostileGuards } from './hostile.ts';
import { restoresGuards } from './restores.ts';
import { retentionGuards } from './retention.ts';
import { setupGuards } from './setup.ts';
import { storesGuards } from './stores.ts';

/** What stands between a fault or a damage and its harm, one at a time. */
export const guards: readonly Guard[] = [
  ...backupsGuards,
  ...storesGuards,
  ...retentionGuards,
  ...catalogGuards,
  ...setupGuards,
  ...restoresGuards,
  ...databasesGuards,
  ...hostileGuards,
];
