import { updateMetricsFile } from '../../src/notify/metrics-file.ts';

// A run of its own: adds one series after the other to a file that others write at the same time.
const [path = '', source = '', times = '0'] = process.argv.slice(2);
const signal = AbortSignal.timeout(60_000);
for (let store = 0; store < Number(times); store += 1) {
  const labels = { source, store: `s3://store-${store}` };
  const sample = { name: 'lifeboat_backup_bytes', labels, value: store };
  await updateMetricsFile(path, [sample], { env: process.env, signal, now: new Date() });
}
