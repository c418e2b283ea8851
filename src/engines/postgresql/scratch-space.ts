import type { Manifest } from '../../core/manifest.ts';
import { estimateRestoredBytes } from '../../core/restored-size.ts';

export { MOST_WAL } from '../../core/restored-size.ts';

/** An empty cluster, some WAL, sort files. */
const BASE_BYTES = 256 * 1024 * 1024;

/** Bytes that a scratch server with the restored database will take on disk. */
export function estimateScratchBytes(manifest: Manifest, artifactBytes: number): number {
  return BASE_BYTES + estimateRestoredBytes(manifest, artifactBytes);
}
