import { Gauge, Registry } from 'prom-client';
import { type MetricName, metrics, type Sample } from '../core/metrics.ts';
import type { StoredMetrics } from './parse-metrics.ts';

/**
 * Writes samples in the text format of Prometheus, in the order of the closed list; what only a newer version
 * knows comes last, with the help it had.
 */
export async function metricsText({ samples, help }: StoredMetrics): Promise<string> {
  const registry = new Registry();
  const names = [...Object.keys(metrics), ...new Set(samples.map(({ name }) => name))];
  for (const name of new Set(names)) {
    const own = samples.filter((sample) => sample.name === name);
    if (own.length > 0) addGauge(registry, name, { help: helpOf(name, help), own });
  }
  return await registry.metrics();
}

function addGauge(registry: Registry, name: string, { help, own }: { help: string; own: readonly Sample<string>[] }) {
  const labelNames = [...new Set(own.flatMap(({ labels }) => Object.keys(labels)))];
  const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
  for (const { labels, value } of own) if (value !== null) gauge.set({ ...labels }, value);
}

function helpOf(name: string, help: ReadonlyMap<string, string>): string {
  const known = Object.hasOwn(metrics, name) ? metrics[name as MetricName].help : undefined;
  return known ?? help.get(name) ?? name;
}
