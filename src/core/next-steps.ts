import type { Group } from './rule-groups.ts';

/**
 * What a person does first, by group: short Markdown sentences of our own, beside the hints of the
 * findings. The order is the order of doing.
 */
export const nextSteps: Readonly<Record<Group, readonly string[]>> = {
  run: [
    'Open the run and read the end of its log: message and hint name what was missing or wrong.',
    'Set it right, and run the workflow again by hand (Actions → the workflow → Run workflow).',
    'Until it passes nothing was judged or kept: take a backup by hand where the last one is old.',
  ],
  age: [
    'Look at the last runs of the backup workflow: it failed, it was cancelled while it waited for a runner, or it never began.',
    'Run it by hand now. The age falls with the first backup that is complete.',
    'Where runs are missing: see whether the workflow is disabled and whether its runner is online.',
  ],
  size: [
    'Compare the number of tables and rows in the job summary with that of the day before.',
    'A bulk delete, a truncated table, a changed role or search path explains it? Then pin the last backup before it, before retention removes it.',
    'Where the new size is right: it is the usual one after a few backups.',
  ],
  content: [
    'Read what the backup names as left out or changed, and compare it with what was deployed since the last good one.',
    'Do not rely on this backup alone: pin the last good one.',
    'Take a new backup, and drill it.',
  ],
  copies: [
    'Find out in the log which store lacks a copy, and why: room, permission, network, a mount that is missing.',
    'Run the backup again. Until it passes there is one place less to restore from.',
    'Backups that somebody removed or hid: find out who, change their credentials, and bring the versions back.',
  ],
  integrity: [
    'Do not prune. Look whether another store still holds a sound copy of the same backup.',
    'Take a new backup now, and drill it.',
    'Check disk, file system and who may write to the store; a key that does not fit is no damage.',
  ],
  proof: [
    'Treat this backup as not restorable until a drill says otherwise, and drill the one before it: `backup: oldest` or an id.',
    'Read the differences in the job summary of the drill: what was expected and what was found.',
    'Missing programs, locales, extensions or room on the runner are no fault of the backup: set them right and drill again.',
  ],
  objectives: [
    'See in the job summary how restore time and size grew over the last drills.',
    'Restore with more `jobs`, on faster disks, or back up more often; or change the objective, knowingly.',
  ],
  room: [
    'Enlarge the disk, or prune: `dry-run: true` shows first what would go.',
    'The next backup may not fit any more. What is not complete never counts as a backup.',
  ],
  stores: [
    'Look whether the store is reachable from this runner: mount, network, credentials, bucket policy.',
    'Nothing can be said of the backups in it until then. Do not take silence for good news.',
  ],
  retention: [
    'Read the plan in the job summary: each backup stands there with its reason.',
    'Nothing proven? Run the drill first. Too much at once? Check the keep rules before raising `max-delete`.',
  ],
  restore: [
    'Read at the top of the report which databases exist under which names, and whether the application was stopped.',
    'Take the commands from the report: they put things in their place, or back. Run nothing else before.',
    'A refusal changed nothing: set right what it names, look at the plan with `dry-run: true`, and restore again.',
  ],
  schedules: [
    'Enable the workflow again (Actions → the workflow → Enable), or bring its runner back.',
    'Run it once by hand, and look whether the next run by schedule comes.',
  ],
};
