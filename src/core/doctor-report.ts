import { type Finding, type Report, report, worst } from './report.ts';

export interface Examined {
  readonly title: string;
  readonly findings: readonly Finding[];
  /** The input without which nothing was looked at. */
  readonly missing?: string | undefined;
}

/** One table of all that was looked at, in its order; findings are shown worst first. */
export function describeDoctor(parts: readonly Examined[], title = 'Doctor'): Report {
  const findings = parts.flatMap((part) => part.findings);
  const left = parts.filter(({ missing }) => missing !== undefined);
  const rows = parts.flatMap((part) =>
    part.findings.map(({ status, message, subject, hint }) => [
      part.title,
      status,
      subject === undefined ? message : `${subject}: ${message}`,
      hint ?? '',
    ]),
  );
  const columns = [{ name: 'What' }, { name: 'Verdict', verdict: true }, { name: 'Found' }, { name: 'What to do' }];
  const headline = [
    ...parts
      .filter((part) => part.findings.length > 0)
      .map((part) => ({ name: part.title, value: worst(part.findings) })),
    ...left.map((part) => ({ name: `${part.title}, not looked at`, value: `\`${part.missing}\` is not given` })),
  ];
  return report(title, findings, { headline, tables: [{ title: 'What was looked at', columns, rows }] });
}
