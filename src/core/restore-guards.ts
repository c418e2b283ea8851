import { counted } from './counted.ts';
import { bytesOf } from './drill-fetch.ts';
import { type Finding, finding } from './report.ts';
import { judgeLoss, judgeMade, judgeProof, judgeTables } from './restore-fitness.ts';
import { listed } from './restore-names.ts';
import {
  losesTarget,
  type RestoreAsked,
  type RestoreKnown,
  type RestoreWay,
  takesSafetyBackup,
  touchesTarget,
  waivers,
  wayOf,
} from './restore-request.ts';
import { estimateRestoredBytes } from './restored-size.ts';
import { formatBytes } from './size.ts';

/** What guards judge. */
export interface Question {
  readonly asked: RestoreAsked;
  readonly known: RestoreKnown;
  readonly way: RestoreWay;
}

/** Judges whether a restore may begin. A `fail` among them refuses it. */
export function judgeGuards(asked: RestoreAsked, known: RestoreKnown): Finding[] {
  const question = { asked, known, way: wayOf(asked, known.state) };
  const guards = [
    judgeConfirm,
    judgeServer,
    judgeRoom,
    judgeProof,
    judgeMade,
    judgeTables,
    judgeRoles,
    judgeExtensions,
  ];
  const ofTarget = [judgeReplication, judgePrepared, judgeConnections];
  return [...guards, judgeSafety, ...ofTarget, judgeLoss].flatMap((guard) => guard(question));
}

function judgeConfirm({ asked, known, way }: Question): Finding[] {
  const { target } = known;
  const { confirm, dryRun } = asked;
  const isNeeded = touchesTarget(way);
  const whose = whoseDatabase(known);
  if (confirm === target)
    return [finding('restore-confirm', 'pass', `\`confirm\` names the target, ${target}.${whose}`)];
  if (confirm !== undefined)
    return [
      finding('restore-confirm', 'fail', `\`confirm\` is "${confirm}", and the target is ${target}.${whose}`, {
        hint: 'Look which of them is right: the database in `target-url`, or what you typed.',
      }),
    ];
  if (!isNeeded)
    return [finding('restore-confirm', 'pass', `Nothing that exists is renamed, dropped or written into.`)];
  const what = way === 'swap' ? 'renamed' : 'dropped';
  return [
    finding(
      'restore-confirm',
      dryRun ? 'warn' : 'fail',
      `${target} would be ${what}, and \`confirm\` does not name it.${whose}`,
      {
        hint: `When that is what you want, give \`confirm: ${target}\`.`,
      },
    ),
  ];
}

/** Said of a target that backups come from: a mistyped name of a server is noticed here or never. */
function whoseDatabase({ sources, state, target }: RestoreKnown): string {
  const { systemIdentifier, host, port } = state.server;
  const names = sources
    .filter(({ database }) => database === target)
    .filter((one) =>
      systemIdentifier !== null && one.systemIdentifier !== null
        ? one.systemIdentifier === systemIdentifier
        : one.host === host && one.port === port,
    )
    .map(({ source }) => source);
  return names.length === 0 ? '' : ` The backups of ${[...new Set(names)].join(', ')} come from it.`;
}

function judgeServer({ known: { state, manifest }, way }: Question): Finding[] {
  const { server, user } = state;
  const refuse = (message: string, hint: string) =>
    finding('target-server', 'fail', message, { subject: state.location, hint });
  if (server.major < manifest.server.major)
    return [
      refuse(
        `The target's server is PostgreSQL ${server.version}, and the backup comes from ${manifest.server.version}.`,
        `Restore into a server of major version ${manifest.server.major} or newer: an older one does not understand the dump.`,
      ),
    ];
  if (server.standby)
    return [refuse('The target is a standby, which takes no writes.', 'Give the URL of its primary.')];
  // Of a target that is left alone nothing must be allowed.
  const lacks = touchesTarget(way) ? user.lacks : user.lacks.filter(({ what }) => !what.startsWith('rename or drop'));
  if (lacks.length > 0) {
    const message = `${user.name} may not ${lacks.map(({ what }) => what).join('; ')}.`;
    return [
      refuse(
        message,
        `${user.superuser ? 'Run' : 'Connect as a superuser, or let one run'}: ${lacks.map(({ sql }) => sql).join(' ')}`,
      ),
    ];
  }
  const message = `PostgreSQL ${server.version} takes a backup of ${manifest.server.version}.`;
  return [finding('target-server', 'pass', message, { subject: state.location })];
}

function judgeRoom({ known, way }: Question): Finding[] {
  const { state, manifest } = known;
  const neededBytes = estimateRestoredBytes(manifest, bytesOf(manifest));
  const needs = `The restored database needs about ${formatBytes(neededBytes)}`;
  if (state.freeBytes === null) {
    const why = state.freeUnknown ?? 'nobody can tell from here';
    return [
      finding('target-room', 'warn', `${needs}; how much is free at the server is not known: ${why}.`, {
        numbers: { neededBytes },
        hint: 'Look at the disk of the server yourself (`df -h`) before a real restore.',
      }),
    ];
  }
  const givenBack = way === 'drop-first' ? (state.database?.bytes ?? 0) : 0;
  const freeBytes = state.freeBytes + givenBack;
  const free = `${formatBytes(freeBytes)} are free${givenBack > 0 ? ' once the target is dropped' : ''}`;
  const numbers = { neededBytes, freeBytes };
  if (freeBytes >= neededBytes) return [finding('target-room', 'pass', `${needs}; ${free}.`, { numbers })];
  const dropping = way === 'replace' || way === 'swap' ? ', or use `mode: replace` with `drop-first: true`' : '';
  return [
    finding('target-room', 'fail', `${needs}, and only ${free}.`, {
      numbers,
      hint: `Make room at the server${dropping}.`,
    }),
  ];
}

function judgeRoles({ asked, known: { state } }: Question): Finding[] {
  const { missingRoles } = state;
  const names = listed(missingRoles);
  if (missingRoles.length === 0) return [finding('target-roles', 'pass', 'Every role that the backup needs is there.')];
  const message = `${counted(missingRoles.length, 'role')} that the backup needs ${missingRoles.length === 1 ? 'is' : 'are'} missing on the server: ${names}.`;
  const numbers = { roles: missingRoles.length };
  if (!asked.owner)
    return [finding('target-roles', 'pass', `${message} Ownership and grants are left out.`, { numbers })];
  if (asked.createRoles) return [finding('target-roles', 'pass', `${message} They are created.`, { numbers })];
  return [
    finding('target-roles', 'fail', message, {
      numbers,
      hint: 'Give `create-roles: true` to create them from the backup, or `owner: false` to leave ownership and grants out.',
    }),
  ];
}

function judgeExtensions({ known: { state } }: Question): Finding[] {
  const { missingExtensions } = state;
  if (missingExtensions.length === 0)
    return [finding('target-extensions', 'pass', 'Every extension that the backup needs is installed on the server.')];
  return [
    finding(
      'target-extensions',
      'fail',
      `Extensions that the backup needs are not installed on the server: ${listed(missingExtensions)}.`,
      {
        numbers: { extensions: missingExtensions.length },
        hint: "Install their packages on the server's machine, then restore again. Nothing was changed.",
      },
    ),
  ];
}

function judgeSafety({ asked, known, way }: Question): Finding[] {
  const { state, target } = known;
  if (takesSafetyBackup(asked, state, way))
    return [finding('safety-backup', 'pass', `A backup of ${target} is taken first, pinned and read back.`)];
  if (!losesTarget(way)) {
    const why = way === 'swap' ? `${target} is kept under another name` : 'nothing is taken away';
    return [finding('safety-backup', 'pass', `No backup of the target is needed: ${why}.`)];
  }
  if (state.database?.isEmpty === true)
    return [finding('safety-backup', 'pass', `No backup of the target is needed: ${target} is empty.`)];
  const size = formatBytes(state.database?.bytes ?? 0);
  return [
    finding(
      'safety-backup',
      'warn',
      `\`safety-backup: false\`: the ${size} in ${target} will be gone, and no backup of them is taken.`,
    ),
  ];
}

/** None of them follows a rename, and each keeps a database from being dropped or leaves something behind. */
function judgeReplication({ asked, known: { state, target }, way }: Question): Finding[] {
  const { database } = state;
  if (database === undefined || !touchesTarget(way)) return [];
  const found = waivers.filter((kind) => database[kind].length > 0);
  if (found.length === 0)
    return [finding('target-replication', 'pass', `${target} has no replication slot, subscription or publication.`)];
  const waived = found.filter((kind) => asked.waive.includes(kind));
  const open = found.filter((kind) => !asked.waive.includes(kind));
  const namesOf = (kinds: readonly (typeof waivers)[number][]) =>
    kinds.map((kind) => `${kind}: ${listed(database[kind])}`).join('; ');
  return [
    ...(waived.length === 0
      ? []
      : [
          finding('target-replication', 'warn', `What does not follow, waived: ${namesOf(waived)}.`, {
            hint: MAKE_AGAIN,
          }),
        ]),
    ...(open.length === 0
      ? []
      : [
          finding(
            'target-replication',
            'fail',
            `${target} has what does not follow to the restored database: ${namesOf(open)}.`,
            {
              hint: `Who reads from them must be set up anew afterwards. When you know how, give \`waive:\` with ${open.join(', ')}, one a line.`,
            },
          ),
        ]),
  ];
}

const MAKE_AGAIN = 'Make them again on the restored database, and tell who reads from them to begin anew.';

/** A transaction manager ends its own within moments; what is older waits for a person. */
const HELD_SECONDS = 60;

/** Found out only at the end otherwise, when the application is stopped and all is restored. */
function judgePrepared({ known: { state, target }, way }: Question): Finding[] {
  if (state.database === undefined || !touchesTarget(way)) return [];
  const held = state.database.prepared.filter(({ seconds }) => seconds > HELD_SECONDS).map(({ gid }) => gid);
  if (held.length === 0)
    return [
      finding('target-prepared', 'pass', `No prepared transaction keeps ${target} from being renamed or dropped.`),
    ];
  const keep = held.length === 1 ? 'A prepared transaction keeps' : `${held.length} prepared transactions keep`;
  return [
    finding('target-prepared', 'fail', `${keep} ${target} from being renamed or dropped: ${listed(held)}.`, {
      numbers: { prepared: held.length },
      hint: 'Whoever prepared them must end them, in that database: `ROLLBACK PREPARED` or `COMMIT PREPARED` with the identifier (pg_prepared_xacts).',
    }),
  ];
}

function judgeConnections({ asked, known: { state, target }, way }: Question): Finding[] {
  const { database } = state;
  if (database === undefined || !touchesTarget(way)) return [];
  const count = database.connections.reduce((sum, one) => sum + one.count, 0);
  const numbers = { connections: count };
  if (count === 0) return [finding('target-connections', 'pass', `Nobody is connected to ${target}.`, { numbers })];
  const message = `${counted(count, 'connection')} to ${target} will be ended: ${describeConnections(database.connections)}.`;
  if (asked.before !== undefined) return [finding('target-connections', 'pass', message, { numbers })];
  return [
    finding('target-connections', 'warn', message, {
      numbers,
      hint: 'What they write until then is lost. Stop the application first, with `before` or by hand.',
    }),
  ];
}

export function describeConnections(
  connections: readonly { readonly user: string; readonly application: string; readonly count: number }[],
): string {
  return listed(
    connections.map(
      ({ user, application, count }) => `${count} of ${user}${application === '' ? '' : ` (${application})`}`,
    ),
  );
}
