import type { Report } from '../core/report.ts';

/** Outputs of every action. */
export const commonOutputs = {
  verdict: 'The worst finding: `pass`, `warn`, `fail` or `unknown`.',
  'report-path': 'Path of the whole report as JSON, until the job ends.',
  findings: 'Findings as JSON: rule, status, message, numbers. `[]` when larger than 64 KiB; the report then has them.',
} as const;

/** An environment string above 128 KiB breaks the next step, and an output often becomes one. */
const MAX_JSON_BYTES = 65_536;

/** Outputs of a report as text, and a warning for each that was too large to be passed on. */
export function outputsOf(report: Report, reportPath: string): { outputs: Record<string, string>; warnings: string[] } {
  const all = {
    ...report.outputs,
    verdict: report.verdict,
    'report-path': reportPath,
    findings: JSON.stringify(report.findings),
  };
  const warnings: string[] = [];
  const entries = Object.entries(all).map(([name, value]): [string, string] => {
    const bytes = Buffer.byteLength(value);
    if (bytes <= MAX_JSON_BYTES) return [name, value];
    warnings.push(`The output \`${name}\` has ${bytes} bytes, more than a step can pass on. It is in ${reportPath}.`);
    return [name, /^[[{]/.test(value) ? '[]' : ''];
  });
  return { outputs: Object.fromEntries(entries), warnings };
}
