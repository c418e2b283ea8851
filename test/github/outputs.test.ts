import { expect, it } from 'vitest';
import { finding, report } from '../../src/core/report.ts';
import { outputsOf } from '../../src/github/outputs.ts';

it('gives every action the common outputs beside its own', () => {
  const passed = report('T', [finding('backup-written', 'pass', 'ok')], { outputs: { bytes: '12' } });
  expect(outputsOf(passed, '/tmp/r.json')).toEqual({
    outputs: {
      bytes: '12',
      verdict: 'pass',
      'report-path': '/tmp/r.json',
      findings: '[{"rule":"backup-written","status":"pass","message":"ok"}]',
    },
    warnings: [],
  });
});

it('empties a JSON output above 64 KiB and says where it is instead', () => {
  const many = Array.from({ length: 2_000 }, () => finding('facts-tables', 'fail', 'a table differs, and so on'));
  const { outputs, warnings } = outputsOf(report('T', many), '/tmp/r.json');
  expect(outputs.findings).toBe('[]');
  expect(warnings).toEqual([expect.stringMatching(/^The output `findings` has \d+ bytes.* \/tmp\/r\.json\.$/)]);
});
