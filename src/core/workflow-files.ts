import { restoreSecretOf, type Setup, type SetupFile } from './setup.ts';
import { doctor } from './templates/doctor.ts';
import { freshness } from './templates/freshness.ts';
import { nightlyBackup } from './templates/nightly-backup.ts';
import { pruneAfterDrill } from './templates/prune-after-drill.ts';
import { restore } from './templates/restore.ts';
import { weeklyDrill } from './templates/weekly-drill.ts';
import { commonEdits, WorkflowText } from './workflow-edits.ts';

const FOLDER = '.github/workflows';

/** The second row of a matrix, which is another source. */
const OTHER_SOURCE = /^ {10}- source: orders-wallets\n(?: {12}.*\n)*/gm;
const ASSERTIONS = /^ {12}assertions: \|\n(?: {14}.*\n)*/gm;
const KEEP = /^ {10}keep-daily: 7\n {10}keep-weekly: 5\n {10}keep-monthly: 12\n/gm;

/** Workflows from the examples; each shows what it does in its first lines. */
export function workflowFiles(setup: Setup): SetupFile[] {
  const prunes = setup.keep.length > 0;
  return [
    fileOf('backup', 'backs up by its schedule, and judges what is there', backupWorkflow(setup), setup),
    fileOf('freshness', 'judges the stores four times a day', freshnessWorkflow(setup), setup),
    prunes
      ? fileOf('drill-and-prune', 'restores the newest backup once a week, then prunes', pruneWorkflow(setup), setup)
      : fileOf('drill', 'restores the newest backup once a week', drillWorkflow(setup), setup),
    fileOf('restore', 'restores by hand: the plan, then an approval', restoreWorkflow(setup), setup),
    fileOf('doctor', 'tries once a week what all of these need', doctorWorkflow(setup), setup),
  ];
}

function fileOf(name: string, purpose: string, workflow: WorkflowText, setup: Setup): SetupFile {
  return { path: `${FOLDER}/lifeboat-${name}.yml`, text: String(commonEdits(workflow, setup)), purpose };
}

function backupWorkflow({ schedule }: Setup): WorkflowText {
  return new WorkflowText(nightlyBackup).change(/^( {4}- cron: )'17 3 \* \* \*'$/gm, `    - cron: '${schedule}'`);
}

function freshnessWorkflow(_: Setup): WorkflowText {
  return new WorkflowText(freshness).change(OTHER_SOURCE, '');
}

function drillWorkflow({ source: _ }: Setup): WorkflowText {
  const assertion = [
    '            # Replace it by what only you can know of your data.',
    '            assertions: |',
    "              there are tables: SELECT count(*) > 0 FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    '',
  ];
  return new WorkflowText(weeklyDrill).change(OTHER_SOURCE, '').change(ASSERTIONS, assertion.join('\n'));
}

function pruneWorkflow(setup: Setup): WorkflowText {
  return new WorkflowText(pruneAfterDrill)
    .change(KEEP, keepLines(setup))
    .change(/(?<=time-zone: )Europe\/Berlin/g, setup.timeZone);
}

function restoreWorkflow({ source }: Setup): WorkflowText {
  const application = [
    '          # What stops and starts the application, and where it says that it is well. They see none of the secrets above:',
    '          # before: systemctl stop app',
    '          # after: systemctl start app',
    '          # health-url: https://app.example/health',
    '',
  ];
  return new WorkflowText(restore)
    .change(/^ {10}# Counted and shown before[\s\S]*?(?=^ {10}# They see none)/gm, '')
    .change(/^ {10}# They see none[\s\S]*? {10}health-url: .*\n/gm, application.join('\n'))
    .change(/(?<=Restore |restore-)orders\b/g, source)
    .change(/\borders(?=-before-restore)/g, source)
    .change(/\bORDERS_RESTORE_URL\b/g, restoreSecretOf(source));
}

function doctorWorkflow(setup: Setup): WorkflowText {
  const comment = /^ {10}# What prune keeps: .*\n/gm;
  const workflow = new WorkflowText(doctor).change(KEEP, keepLines(setup));
  return setup.keep.length === 0 ? workflow.change(comment, '') : workflow;
}

function keepLines({ keep }: Setup): string {
  return keep.map(([name, value]) => `          ${name}: ${value}\n`).join('');
}
