import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type MetricName, metrics, type Sample } from '../../src/core/metrics.ts';
import { updateMetricsFile } from '../../src/notify/metrics-file.ts';
import { metricsText } from '../../src/notify/metrics-text.ts';
import { parseMetrics } from '../../src/notify/parse-metrics.ts';
import { at } from '../fixtures.ts';
import { prometheusProgram, whyNoPrometheus } from '../servers/prometheus.ts';
import { readExposition, seriesValue } from './exposition.ts';

const noPrometheus = whyNoPrometheus();
const now = at('2026-11-21T12:00:00Z');

function newFile(text?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-metrics-file-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'lifeboat.prom');
  if (text !== undefined) writeFileSync(path, text);
  return path;
}

function update(path: string, samples: readonly Sample<string>[], signal = AbortSignal.timeout(50_000)): Promise<void> {
  return updateMetricsFile(path, samples, { env: process.env, signal, now });
}

const bytesOf = (source: string, value: number, store = 'file:///srv/backups'): Sample => ({
  name: 'lifeboat_backup_bytes',
  labels: { source, store },
  value,
});

/** One sample of each metric, its labels filled with what the world may put there. */
function oneOfEach(label: (name: string) => string): Sample[] {
  return Object.entries(metrics).map(([name, { labels }], at) => ({
    name: name as MetricName,
    labels: Object.fromEntries(labels.map((each) => [each, label(each)])),
    value: at * 1.5e9,
  }));
}

describe('the text', () => {
  it('follows the rules of the format, and is read back as it was, whatever stands in labels and numbers', async () => {
    const odd = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"', '\\', '\n', '\\n', '}', ',a="b"'),
    );
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(odd, number, async (label, value) => {
        const samples = [{ name: 'lifeboat_backup_bytes', labels: { source: 'orders', store: label }, value }];
        const text = await metricsText({ samples, help: new Map() });
        // A minus zero is a zero to whoever reads it.
        const expected = samples.map((one) => ({ ...one, value: one.value + 0 }));
        expect(readExposition(text).map((one) => ({ ...one, value: one.value + 0 }))).toEqual(expected);
        expect(parseMetrics(text, 'x').samples.map((one) => ({ ...one, value: (one.value ?? 0) + 0 }))).toEqual(
          expected,
        );
      }),
      { numRuns: 50 },
    );
  });

  it.skipIf(noPrometheus)('pleases promtool, every metric of the list', async () => {
    const text = await metricsText({ samples: oneOfEach((name) => `a "${name}"\\\n`), help: new Map() });
    expect(readExposition(text)).toHaveLength(Object.keys(metrics).length);
    // Also says what is against the conventions: units, names, help.
    execFileSync(prometheusProgram('promtool') ?? '', ['check', 'metrics'], { input: text, stdio: 'pipe' });
  });
});

describe('a file of metrics', () => {
  it('is written whole, readable by everybody whatever the umask, and replaced series by series', async () => {
    const path = newFile();
    const umask = process.umask(0o077);
    onTestFinished(() => void process.umask(umask));
    await update(path, [bytesOf('orders', 1), bytesOf('ledger', 2)]);
    await update(path, [bytesOf('orders', 3)]);
    const samples = readExposition(readFileSync(path, 'utf8'));
    expect(samples.map(({ labels, value }) => [labels.source, value])).toEqual([
      ['orders', 3],
      ['ledger', 2],
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  it('of a newer version keeps what this one does not know', async () => {
    const help =
      '# HELP lifeboat_wal_lag_seconds Age of "the" newest segment, in C:\\\\n.\n# TYPE lifeboat_wal_lag_seconds gauge\n';
    const line = 'lifeboat_wal_lag_seconds{source="orders"} 12\n';
    const path = newFile(`${help}${line}`);
    await update(path, [bytesOf('orders', 1)]);
    expect(readFileSync(path, 'utf8')).toContain(`${help}${line}`);
  });

  it('that is empty is filled; what a killed run left beside it is cleared away', async () => {
    const path = newFile('');
    writeFileSync(`${path}.tmp`, 'half a fi');
    await update(path, [bytesOf('orders', 1)]);
    expect(
      seriesValue(readExposition(readFileSync(path, 'utf8')), 'lifeboat_backup_bytes', bytesOf('orders', 1).labels),
    ).toBe(1);
    expect(readdirSync(join(path, '..')).toSorted()).toEqual(['lifeboat.prom', 'lifeboat.prom.lock']);
  });

  const head = '# HELP lifeboat_backups Number.\n# TYPE lifeboat_backups gauge\n';
  it.each([
    ['of another program', '# HELP node_load1 Load.\n# TYPE node_load1 gauge\nnode_load1 0.5\n', 'line 1 is none'],
    ['cut off', `${head}lifeboat_backups{source="orders",store="x"} 17`, 'ends in the middle of a line'],
    ['with a comment', `${head}# mine\n`, 'line 3 is none'],
    ['with a counter', '# TYPE lifeboat_backups counter\n', 'line 1 is none'],
    ['with time stamps', `${head}lifeboat_backups{source="orders"} 17 1764110000000\n`, 'line 3 is none'],
    ['with a label that has no end', `${head}lifeboat_backups{source="orders} 17\n`, 'line 3 is none'],
    ['of zeros, after a crash of the machine', '\0'.repeat(64), 'ends in the middle of a line'],
  ])('%s is left as it is and named', async (_what, text, why) => {
    const path = newFile(text);
    const failing = update(path, [bytesOf('orders', 1)]);
    await expect(failing).rejects.toMatchObject({ code: 'guard-refused', message: expect.stringContaining(why) });
    await expect(failing).rejects.toMatchObject({ message: expect.stringContaining(path) });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('in a folder that is missing is a failure that says what to do', async () => {
    const hint = { hint: expect.stringContaining('folder of `metrics-file`') };
    const failing = update(join(newFile(), 'no/lifeboat.prom'), []);
    await expect(failing).rejects.toMatchObject({ code: 'tool-failed', ...hint });
  });

  it.each([
    ['a folder', (path: string) => mkdirSync(path)],
    ['a pipe that nobody writes to', (path: string) => execFileSync('mkfifo', [path])],
    ['a link to a device', (path: string) => symlinkSync('/dev/null', path)],
  ])('that is %s is left as it is and named', async (_what, make) => {
    const path = newFile();
    make(path);
    const before = lstatSync(path).mode;
    await expect(update(path, [bytesOf('orders', 1)])).rejects.toMatchObject({
      code: 'guard-refused',
      message: `${path} is no regular file: it is not what Lifeboat wrote.`,
      hint: expect.stringContaining('`metrics-file`'),
    });
    expect(lstatSync(path).mode).toBe(before);
  });

  it('says that flock is missing', async () => {
    const path = newFile();
    const options = { env: { PATH: '/nowhere' }, signal: AbortSignal.timeout(50_000), now };
    await expect(updateMetricsFile(path, [], options)).rejects.toMatchObject({ code: 'tool-missing' });
  });
});

describe('runs at the same time', () => {
  const script = join(import.meta.dirname, 'keep-metrics-once.ts');

  it('lose nothing', async () => {
    const path = newFile();
    const sources = ['a', 'b', 'c', 'd'];
    const runs = sources.map((source) => spawn(process.execPath, [script, path, source, '5'], { stdio: 'inherit' }));
    const codes = await Promise.all(runs.map(async (run) => (await once(run, 'exit'))[0]));
    expect(codes).toEqual(sources.map(() => 0));
    const found = readExposition(readFileSync(path, 'utf8')).map(({ labels }) => `${labels.source} ${labels.store}`);
    const expected = sources.flatMap((source) => [...Array(5).keys()].map((at) => `${source} s3://store-${at}`));
    expect(found.toSorted()).toEqual(expected.toSorted());
  });

  it('wait for each other, and not for one that was killed', async () => {
    const path = newFile();
    // What our own process does: it holds the lock by a child, and dies without a word.
    const held = `import { withFileLock } from ${JSON.stringify(join(import.meta.dirname, '../../src/notify/file-lock.ts'))};
      const signal = new AbortController().signal;
      await withFileLock(${JSON.stringify(`${path}.lock`)}, { env: process.env, signal }, async () => {
        process.stdout.write('held');
        await new Promise((resolve) => setTimeout(resolve, 1e9));
      });`;
    const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', held], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    const impatient = update(path, [bytesOf('orders', 1)], AbortSignal.timeout(300));
    await expect(impatient).rejects.toMatchObject({
      code: 'source-busy',
      message: `Another process held the lock ${path}.lock all the time.`,
    });
    holder.kill('SIGKILL');
    await update(path, [bytesOf('orders', 2)]);
    expect(readExposition(readFileSync(path, 'utf8'))).toHaveLength(1);
  });
});
