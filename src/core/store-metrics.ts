import { type Sample, samplesOf } from './metrics.ts';
import type { Finding } from './report.ts';

/** The room of a store, as it was judged. */
export function roomSamples({ subject, numbers }: Finding): Sample[] {
  if (subject === undefined || numbers?.freeBytes === undefined) return [];
  return samplesOf(
    { store: subject },
    { lifeboat_store_free_bytes: numbers.freeBytes, lifeboat_store_total_bytes: numbers.totalBytes },
  );
}
