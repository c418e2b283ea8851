/** Prints `N passed, N failed, N skipped` from vitest's JSON report, and exits with 1 unless all is well. */
import { readFileSync } from 'node:fs';

interface TestFile {
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

const counts = { passed: 0, failed: 0, skipped: 0 };

for (const file of testFiles(process.argv[2] ?? '')) {
  for (const { status } of file.assertionResults) {
    if (status === 'passed') counts.passed += 1;
    else if (status === 'failed') counts.failed += 1;
    else counts.skipped += 1;
  }
  // A file that cannot be loaded, or whose hooks fail, has no failed test of its own.
  const blamed = file.assertionResults.some(({ status }) => status === 'failed');
  if (file.status === 'failed' && !blamed) counts.failed += 1;
}
// A runner that ran nothing proved nothing.
if (counts.passed + counts.failed + counts.skipped === 0) counts.failed = 1;

process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;

function testFiles(path: string): readonly TestFile[] {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { testResults: readonly TestFile[] }).testResults;
  } catch (error) {
    process.stderr.write(`The test runner wrote no report: ${String(error)}\n`);
    return [];
  }
}
