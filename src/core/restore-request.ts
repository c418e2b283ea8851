import type { CatalogBackup } from './catalog.ts';
import type { ServerPlace } from './known-servers.ts';
import type { Manifest } from './manifest.ts';
import type { RestoredPart, TargetState } from './target-port.ts';

export const restoreModes = ['new-database', 'replace'] as const;
export type RestoreMode = (typeof restoreModes)[number];

/** What a rename or drop of the target leaves behind, and who restores must say that they know. */
export const waivers = ['slots', 'subscriptions', 'publications'] as const;
export type Waiver = (typeof waivers)[number];

/** What somebody asked for. */
export interface RestoreAsked {
  /** Of this restore. */
  readonly id: string;
  readonly source: string;
  readonly mode: RestoreMode;
  readonly swap: boolean;
  readonly dropFirst: boolean;
  readonly confirm: string | undefined;
  /** Undefined: where the target's data would be lost. */
  readonly safetyBackup: boolean | undefined;
  readonly part: RestoredPart;
  readonly owner: boolean;
  readonly role: string | undefined;
  readonly createRoles: boolean;
  readonly waive: readonly Waiver[];
  readonly allowUnproven: boolean;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly health: { readonly url: string; readonly timeoutMs: number } | undefined;
  readonly criticalTables: readonly string[];
  readonly analyze: boolean;
  readonly reindex: boolean;
  readonly dryRun: boolean;
}

/** What is known before anything is done. */
export interface RestoreKnown {
  /** Name of the target's database. */
  readonly target: string;
  readonly state: TargetState;
  readonly backup: CatalogBackup;
  readonly manifest: Manifest;
  /** Names of the tables that it holds rows of, as facts write them; undefined without facts. */
  readonly tables: readonly string[] | undefined;
  /** Of the copy that would be restored, by its last conclusive drill. */
  readonly proof: { readonly proof: 'proven' | 'disproven'; readonly at: Date } | undefined;
  /** Seconds that restores in drills of this source took, oldest first. */
  readonly drillSeconds: readonly number[];
  /** Databases that sources in the stores come from. */
  readonly sources: readonly (ServerPlace & { readonly source: string })[];
  readonly now: Date;
}

/**
 * What becomes of the target. `create`: there is none; `beside`: it is left alone; `swap`: it is kept under another name;
 * `replace`: it is dropped at the end; `drop-first`: it is dropped at the beginning.
 */
export type RestoreWay = 'create' | 'beside' | 'swap' | 'replace' | 'drop-first';

export function wayOf(asked: RestoreAsked, state: TargetState): RestoreWay {
  if (state.database === undefined) return 'create';
  if (asked.mode === 'replace') return asked.dropFirst ? 'drop-first' : 'replace';
  return asked.swap ? 'swap' : 'beside';
}

/** Whether a database that exists is renamed or dropped. */
export function touchesTarget(way: RestoreWay): boolean {
  return way !== 'create' && way !== 'beside';
}

/** Whether what is in the target now is gone in the end. */
export function losesTarget(way: RestoreWay): boolean {
  return way === 'replace' || way === 'drop-first';
}

/** Whether a backup of the target is taken first. */
export function takesSafetyBackup({ safetyBackup }: RestoreAsked, { database }: TargetState, way: RestoreWay): boolean {
  if (database === undefined || !touchesTarget(way)) return false;
  return safetyBackup ?? (losesTarget(way) && !database.isEmpty);
}
