import type { CopyWay } from './copy-artifact.ts';
import type { CopiedBackup } from './copy-backup.ts';
import { counted } from './counted.ts';
import type { Failure } from './failure.ts';
import { type Finding, finding, type Report, report, type Table } from './report.ts';
import { formatBytes } from './size.ts';

/** One backup that was to be copied, and what became of it. */
export interface CopyTry {
  readonly id: string;
  readonly copied?: CopiedBackup;
  readonly failure?: Failure;
}

/** @param done.wanted how many were to be copied; fewer tries mean that it was given up in between */
export function describeCopies(
  source: string,
  { from, to }: Pick<CopyWay, 'from' | 'to'>,
  done: { readonly tries: readonly CopyTry[]; readonly wanted: number },
): Report {
  const { tries, wanted } = done;
  const copied = tries.flatMap((one) => one.copied ?? []);
  const sentBytes = copied.reduce((sum, one) => sum + one.sentBytes, 0);
  const findings = tries.flatMap((one) => judgeTry(source, one, to.location));
  if (wanted === 0) findings.push(nothingMissing(source, from.location, to.location));
  if (tries.length < wanted) findings.push(givenUp(source, wanted - tries.length, to.location));
  return report(`Copy of ${source} to ${to.location}`, findings, {
    sources: [source],
    headline: [
      { name: 'Copied', value: `${copied.length} of ${counted(wanted, 'backup')}` },
      { name: 'Sent', value: formatBytes(sentBytes) },
      { name: 'From', value: from.location },
    ],
    tables: copied.map(tableOf),
    outputs: {},
  });
}

function judgeTry(source: string, { id, copied, failure }: CopyTry, subject: string): Finding[] {
  if (copied === undefined)
    return [
      finding('backup-copied', 'fail', `${source}: ${id} was not copied. ${failure?.message ?? ''}`, {
        subject,
        ...(failure?.hint !== undefined && { hint: failure.hint }),
      }),
    ];
  const { records, sentBytes, wasWhole, artifacts } = copied;
  const read = artifacts.filter(({ how }) => how === 'there').length;
  const what = wasWhole
    ? `was whole there already: ${counted(read, 'artifact')} read back`
    : `is whole there now: ${formatBytes(sentBytes)} sent, ${counted(read, 'artifact')} that ${read === 1 ? 'was' : 'were'} there read back`;
  const message = `${source}: ${id} ${what}, ${counted(records.copied, 'record')} copied.`;
  const done = finding('backup-copied', 'pass', message, { subject, numbers: { sentBytes, records: records.copied } });
  return [done, ...records.different.map((name) => otherRecord(source, id, name, subject))];
}

function otherRecord(source: string, id: string, name: string, subject: string): Finding {
  return finding('backup-copied', 'warn', `${source}: ${id}/${name} has other bytes in the two stores.`, {
    subject,
    hint: 'Records are written once: somebody changed one of them. Both were left as they are; compare them.',
  });
}

function nothingMissing(source: string, from: string, subject: string): Finding {
  return finding('backup-copied', 'pass', `${source}: every backup of ${from} is there.`, { subject });
}

function givenUp(source: string, left: number, subject: string): Finding {
  return finding(
    'backup-copied',
    'fail',
    `${source}: ${counted(left, 'backup')} more ${left === 1 ? 'was' : 'were'} not tried.`,
    {
      subject,
      hint: 'What stopped the last one would stop the next as well. Set it right and copy again: what was sent is not sent again.',
    },
  );
}

function tableOf({ manifest, artifacts }: CopiedBackup): Table {
  return {
    title: `Artifacts of ${manifest.id}`,
    columns: [{ name: 'Artifact' }, { name: 'Size', numeric: true }, { name: 'What was done' }],
    rows: artifacts.map(({ artifact, how }) => [
      artifact.key,
      formatBytes(artifact.bytes),
      how === 'sent' ? 'sent' : 'there already, read back',
    ]),
    folded: artifacts.length > 10,
  };
}
