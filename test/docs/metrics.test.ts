import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { fillMetrics } from '../../scripts/metrics-table.ts';
import { metrics } from '../../src/core/metrics.ts';
import { root } from '../house/source-files.ts';
import { prometheusProgram, whyNoPrometheus } from '../servers/prometheus.ts';
import { blocksIn, readDocument, sectionOf } from './documents.ts';

const document = readDocument('docs/METRICS.md');
const rulesPath = join(root, 'docs/alerts.rules.yml');
const rulesText = readFileSync(rulesPath, 'utf8');
const Rules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(z.object({ alert: z.string(), expr: z.string(), labels: z.object({ severity: z.string() }) })),
    }),
  ),
});
const alerts = Rules.parse(parse(rulesText)).groups.flatMap(({ rules }) => rules);

it('docs/METRICS.md shows the list of the program', () => {
  expect(document.text).toBe(fillMetrics(document.text));
  for (const name of Object.keys(metrics)) expect(document.text).toContain(`| \`${name}\` |`);
  expect(() => fillMetrics('nothing')).toThrow('no place');
});

it('document and rules name only metrics that exist', () => {
  const named = new Set(`${document.text}${rulesText}`.match(/\blifeboat_[a-z_]+\b/g));
  expect([...named].filter((name) => !Object.hasOwn(metrics, name))).toEqual([]);
});

it('the document lists every alert with its severity', () => {
  const rows = [...sectionOf(document, '## Alerts').matchAll(/^\| `(Lifeboat\w+)` \|.*\| (\w+) \|$/gm)];
  expect(rows.map(([, name, severity]) => `${name} ${severity}`)).toEqual(
    alerts.map(({ alert, labels }) => `${alert} ${labels.severity}`),
  );
});

describe.skipIf(whyNoPrometheus())('promtool', () => {
  const promtool = (...args: string[]) =>
    execFileSync(prometheusProgram('promtool') ?? '', args, { stdio: 'pipe' }).toString();
  const tests = join(import.meta.dirname, 'alerts.test.yml');

  it('accepts the alert rules, and the example of the document', () => {
    expect(promtool('check', 'rules', rulesPath)).toContain(`${alerts.length} rules found`);
    const example = blocksIn(document, 'yaml').find((block) => block.includes('alert:'));
    const path = join(import.meta.dirname, `example-${process.pid}.rules.yml`);
    onTestFinished(() => rmSync(path, { force: true }));
    writeFileSync(path, JSON.stringify({ groups: [{ name: 'example', rules: parse(example ?? '') }] }));
    expect(promtool('check', 'rules', path)).toContain('1 rules found');
  });

  it('finds that each alert fires when it should, and not when it should not', () => {
    expect(promtool('test', 'rules', tests)).toContain('SUCCESS');
    const text = readFileSync(tests, 'utf8');
    // Once among what is quiet in good order, and once where it fires.
    for (const { alert } of alerts) expect(text.split(`alertname: ${alert}`).length, alert).toBeGreaterThanOrEqual(3);
    expect(text.match(/exp_alerts/g)?.length).toBe(alerts.length);
  });

  it('would notice of each alert that it no longer fires', () => {
    const [rules, cases] = ['rules', 'test'].map((what) =>
      join(import.meta.dirname, `broken-${process.pid}.${what}.yml`),
    );
    onTestFinished(() => [rules, cases].forEach((path) => void rmSync(path ?? '', { force: true })));
    const broken = alerts.map((rule) => ({ ...rule, expr: `${rule.expr} and vector(0) == 1` }));
    writeFileSync(rules ?? '', JSON.stringify({ groups: [{ name: 'broken', rules: broken }] }));
    writeFileSync(cases ?? '', readFileSync(tests, 'utf8').replace('../../docs/alerts.rules.yml', rules ?? ''));
    const { status, stdout, stderr } = spawnSync(prometheusProgram('promtool') ?? '', ['test', 'rules', cases ?? '']);
    expect(status).toBe(1);
    const failed = new Set(`${stdout}${stderr}`.match(/(?<=alertname: )\w+/g));
    expect([...failed].toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  });
});
