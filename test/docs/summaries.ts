// The job summaries in the README are those of real runs, whose reports lie in test/docs/reports/. After a change of
// how summaries look: `node test/docs/summaries.ts` puts them in again.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../src/core/report.ts';
import { renderSummary } from '../../src/github/summary.ts';
import { root } from '../house/source-files.ts';

const MARKED = /(<!-- summary ([a-z-]+) -->\n)[\s\S]*?(<!-- end -->)/g;

/** The text with the summary of each report between its markers, as a quotation. */
export function fillSummaries(text: string): string {
  return text.replaceAll(MARKED, (...parts) => {
    const [, open, name = '', close] = parts as string[];
    const report = JSON.parse(readFileSync(join(import.meta.dirname, 'reports', `${name}.json`), 'utf8')) as Report;
    return `${open}\n${quoted(renderSummary(report))}\n\n${close}`;
  });
}

function quoted(markdown: string): string {
  const lines = markdown.trimEnd().split('\n');
  return lines.map((line) => (line === '' ? '>' : `> ${line}`)).join('\n');
}

if (import.meta.main) {
  const path = join(root, 'README.md');
  writeFileSync(path, fillSummaries(readFileSync(path, 'utf8')));
}
