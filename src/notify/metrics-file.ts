import type { Report } from '../core/report.ts';

/** To be built. */
export function keepMetrics(
  _report: Report,
  _telling: unknown,
): { what: string; send(signal: AbortSignal): Promise<void> }[] {
  return [];
}
