import type { Change } from '../core/change.ts';
import type { Report } from '../core/report.ts';

/** To be built. */
export async function startPings(_given: unknown, _telling: unknown, _signal: AbortSignal): Promise<void> {}

/** To be built. */
export function notifyAll(
  _report: Report,
  _change: Change,
  _telling: unknown,
): { what: string; send(signal: AbortSignal): Promise<void> }[] {
  return [];
}
