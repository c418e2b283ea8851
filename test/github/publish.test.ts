import { appendFileSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { Log } from '../../src/core/ports.ts';
import { finding, type Report, report } from '../../src/core/report.ts';
import { couldNotWork, failStep, type Origin, publish } from '../../src/github/publish.ts';
import { captureStdout } from './captured-stdout.ts';

const stale = report('Freshness of orders', [
  finding('backup-age', 'fail', 'Too old: 30h.', { hint: 'Run `backup`.' }),
]);
const broken = report('backup could not do its work', [finding('run-failed', 'unknown', 'pg_dump is missing.')]);

const origin: Origin = {
  action: 'verify-freshness',
  startedAt: '2026-11-21T03:00:00.000Z',
  finishedAt: '2026-11-21T03:00:04.000Z',
  tool: { name: 'lifeboat', version: '1.0.0' },
  run: { sha: '0123456789abcdef0123456789abcdef01234567' },
};

async function publishTo(folder: string, given: Report, files: Record<string, string> = {}) {
  const { toolkit, lines } = await captureStdout();
  const said: string[] = [];
  const take = (line: string) => void said.push(line);
  const log: Log = { info: take, warning: (line) => take(`warning: ${line}`), debug: take, group: (_, use) => use() };
  const paths = { GITHUB_OUTPUT: join(folder, 'out'), GITHUB_STEP_SUMMARY: join(folder, 'summary') };
  for (const path of Object.values(paths)) appendFileSync(path, '');
  for (const [name, value] of Object.entries({ RUNNER_TEMP: folder, ...paths, ...files })) vi.stubEnv(name, value);
  await publish(given, { name: 'backup', origin, toolkit, log });
  return {
    toolkit,
    lines: said,
    commands: () => lines().slice(0, -1),
    output: () => readFileSync(paths.GITHUB_OUTPUT, 'utf8'),
  };
}

const folder = () => mkdtempSync(join(tmpdir(), 'lifeboat-publish-'));

it('writes the report for its owner alone, under a name of its own for each step', async () => {
  const temp = folder();
  await publishTo(temp, stale);
  const { output } = await publishTo(temp, stale);
  const [first = '', second = ''] = [...output().matchAll(/report-path<<(\S+)\n(.*)\n\1/g)].map((match) => match[2]);
  expect(first).not.toBe(second);
  expect(JSON.parse(readFileSync(first, 'utf8'))).toEqual({ format: 1, ...origin, ...stale });
  expect(statSync(first).mode & 0o777).toBe(0o600);
});

it('says that the work was done when what it found is not acceptable', async () => {
  const { commands, toolkit } = await publishTo(folder(), stale);
  failStep(stale, toolkit);
  expect(process.exitCode).toBe(1);
  expect(commands()).toEqual([
    '::error title=backup-age::Too old: 30h.%0ARun `backup`.',
    '::error::The action did its work, and what it found is not acceptable (fail): Freshness of orders',
  ]);
  expect(couldNotWork(stale)).toBe(false);
});

it('says that the work could not be done when it could not', async () => {
  const { commands, toolkit } = await publishTo(folder(), broken);
  failStep(broken, toolkit);
  expect(process.exitCode).toBe(1);
  expect(commands()).toEqual(['::error::backup could not do its work: pg_dump is missing.']);
  expect(couldNotWork(broken)).toBe(true);
});

it('annotates warnings and stays silent when all is well', async () => {
  const warned = report('T', [finding('drill-age', 'warn', 'Old.'), finding('backup-age', 'pass', 'ok')]);
  const { commands } = await publishTo(folder(), warned);
  expect(process.exitCode).toBeUndefined();
  expect(commands()).toEqual(['::warning title=drill-age::Old.']);
});

it('shows nine annotations of a kind, and leaves room for the conclusion', async () => {
  const many = Array.from({ length: 30 }, (_, at) => finding('facts-tables', 'fail', `table ${at}`));
  const { commands, toolkit } = await publishTo(folder(), report('T', many));
  failStep(report('T', many), toolkit);
  expect(commands()).toHaveLength(10);
});

it('says loudly what could not be published, and publishes the rest', async () => {
  const temp = folder();
  const { lines, output } = await publishTo(temp, stale, { GITHUB_STEP_SUMMARY: temp });
  expect(lines).toContainEqual(expect.stringMatching(/^warning: The job summary could not be published: EISDIR/));
  expect(output()).toContain('verdict<<');
  const other = await publishTo(temp, stale, { GITHUB_OUTPUT: '/nonexistent/out' });
  expect(other.lines).toContainEqual(
    expect.stringMatching(/^warning: The outputs could not be published: Missing file at path: \/nonexistent\/out/),
  );
  expect(readFileSync(join(temp, 'summary'), 'utf8')).toContain('❌ fail: Freshness of orders');
});
