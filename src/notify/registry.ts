/** What is not used is not loaded: a step without metrics needs no Prometheus client. */
export async function loadMetricsText() {
  return await import('./metrics-text.ts');
}
