import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { Notification } from '../../src/core/notification.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { putBackup } from '../fixtures.ts';
import { lifeboat } from '../hostile/lifeboat.ts';
import { makeCertificate } from '../notify/certificate.ts';
import { startMailServer } from '../notify/mail-server.ts';
import { type Receiver, startReceiver } from '../notify/receiver.ts';
import { Job, runAction, type StepResult } from './runner.ts';

const RUN = 'https://github.example/acme/operations/actions/runs/4711/attempts/1';

function emptyStore(): string {
  const folder = mkdtempSync('/var/tmp/lifeboat-notify-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Makes the freshness of `orders` pass, and fail again. */
async function putFreshBackup(folder: string): Promise<void> {
  const model = memoryStore();
  putBackup(model, new Date(Date.now() - 60_000));
  for await (const { key } of model.list('')) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), await buffer(await model.get(key)));
  }
}

function judge(folder: string, notify: string, more: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  const given = { source: 'orders', store: `file://${folder}`, 'min-free-space': '0%', notify, ...more };
  return runAction({ action: 'verify-freshness', with: given, secrets: [notify] });
}

const changesAt = ({ received }: Receiver) =>
  received.map(({ body }) => Notification.parse(JSON.parse(body))).map(({ change, verdict }) => `${change} ${verdict}`);

it('tells of the first failure and of the recovery, and of nothing between', async () => {
  const receiver = await startReceiver();
  const folder = emptyStore();
  const notify = `webhook+http://${receiver.host}/hook?secret=correct-horse`;
  expect((await judge(folder, notify)).exitCode).toBe(1);
  expect((await judge(folder, notify)).exitCode).toBe(1);
  expect(changesAt(receiver)).toEqual(['broke fail']);
  await putFreshBackup(folder);
  expect((await judge(folder, notify)).exitCode).toBe(0);
  expect((await judge(folder, notify)).exitCode).toBe(0);
  expect(changesAt(receiver)).toEqual(['broke fail', 'recovered warn']);
  const [broke, recovered] = receiver.received.map(({ body }) => Notification.parse(JSON.parse(body)));
  expect(broke).toMatchObject({ action: 'verify-freshness', sources: ['orders'], run: { url: RUN } });
  expect(recovered?.failingSince).toBe(broke?.failingSince);
});

it('tells of each failing run, and of every run, where that was asked for', async () => {
  const receiver = await startReceiver();
  const notify = `webhook+http://${receiver.host}/hook`;
  const folder = emptyStore();
  for (const on of ['failure', 'failure', 'always']) await judge(folder, notify, { 'notify-on': on });
  await putFreshBackup(folder);
  for (const on of ['failure', 'always']) await judge(folder, notify, { 'notify-on': on });
  expect(changesAt(receiver)).toEqual(['broke fail', 'still-broken fail', 'still-broken fail', 'still-well warn']);
});

const TOKEN = '123456789:AAF-l0ngT0kenOfABot_xyz';
const SLACK_PATH = '/services/T0LIFEBOAT/B0LIFEBOAT/vErYsEcReTsLaCkKeY01';

it('keeps verdict and secrets when nobody can be told, and says so loudly', async () => {
  const receiver = await startReceiver(() => ({ status: 403, body: `forbidden: ${SLACK_PATH} ${TOKEN}` }));
  const folder = emptyStore();
  const lines = [
    `slack+http://${receiver.host}${SLACK_PATH}`,
    `telegram://${TOKEN}@-1001234567890?endpoint=http://${receiver.host}`,
    `webhook+http://${receiver.host}/hook?secret=correct-horse`,
    'smtp://ops:hunter2hunter2@127.0.0.1:1?to=ops@example.com&starttls=never',
    `ping+http://${receiver.host}/0d338dcc-a054-11ec-b909-0242ac120002`,
  ];
  const notify = lines.join('\n');
  const job = new Job({ secrets: [notify] });
  onTestFinished(() => job.end());
  const given = { source: 'orders', store: `file://${folder}`, 'min-free-space': '0%', notify };
  const result = await job.runStep({ action: 'verify-freshness', with: given });
  const report = readFileSync(result.outputs['report-path'] ?? '', 'utf8');
  expect(result.outputs.verdict).toBe('fail');
  const notices = (JSON.parse(report) as { notices: string[] }).notices;
  expect(notices).toHaveLength(5);
  for (const label of ['Slack (127', 'Telegram (-1001234567890, 127', 'webhook (127', 'mail to ops@', 'ping (127']) {
    expect(notices.join('\n')).toContain(label);
    expect(result.summary).toContain(`**Not told:** The notification failed: ${label}`);
    expect(result.annotations.map(({ message }) => message).join('\n')).toContain(label);
  }
  const shown = JSON.stringify({ ...result, masks: [] }) + report;
  for (const secret of [SLACK_PATH, 'vErYsEcRe', TOKEN, 'AAF-l0ng', 'correct-horse', 'hunter2', '0d338dcc']) {
    expect(shown).not.toContain(secret);
  }
});

it('tells later whom it could not tell of the failure', async () => {
  let isDown = true;
  const receiver = await startReceiver(() => ({ status: isDown ? 404 : 200 }));
  const folder = emptyStore();
  const notify = `webhook+http://${receiver.host}/hook`;
  await judge(folder, notify);
  isDown = false;
  await judge(folder, notify);
  await judge(folder, notify);
  expect(changesAt(receiver)).toEqual(['broke fail', 'broke fail']);
});

it('pings at the start and at the end of every run', async () => {
  const receiver = await startReceiver();
  const folder = emptyStore();
  const notify = `ping+http://${receiver.host}/0d338dcc-a054-11ec-b909-0242ac120002?create=1`;
  await judge(folder, notify);
  await putFreshBackup(folder);
  await judge(folder, notify);
  const check = '/0d338dcc-a054-11ec-b909-0242ac120002';
  const urls = receiver.received.map(({ url }) => url);
  const ends = [`${check}/start`, `${check}/fail`, `${check}/start`, check];
  expect(urls).toEqual(ends.map((path) => `${path}?create=1`));
  expect(receiver.received[1]?.body).toMatch(new RegExp(`^FAIL: Freshness of orders\n${RUN}\n`));
  expect(receiver.received[3]?.body).toMatch(/^WARN: Freshness of orders\n/);
});

it('tells of a step whose other inputs are refused, and asks nobody when `notify` itself is', async () => {
  const receiver = await startReceiver();
  const folder = emptyStore();
  const notify = `webhook+http://${receiver.host}/hook`;
  await judge(folder, notify, { 'max-age': '26' });
  expect(changesAt(receiver)).toEqual(['broke unknown']);
  const refused = await judge(folder, `${notify}\nhttps://${receiver.host}/services/T0/B0/s3cr3ts3cr3t`);
  expect(refused.log).toContain('`notify` cannot be (a secret, not shown). Line 2: A bare `https://` does not say');
  expect(receiver.received).toHaveLength(1);
});

it('tells from a terminal, too, by the environment', async () => {
  const receiver = await startReceiver();
  const folder = emptyStore();
  const env = { LIFEBOAT_NOTIFY: `webhook+http://${receiver.host}/hook?secret=correct-horse` };
  const words = ['verify-freshness', '--source', 'orders', '--store', `file://${folder}`, '--min-free-space', '0%'];
  const { code, stdout, stderr } = await lifeboat(words, { env });
  expect(code).toBe(1);
  expect(stderr).not.toContain('warning');
  expect(changesAt(receiver)).toEqual(['broke fail']);
  expect(JSON.parse(stdout)).toMatchObject({ verdict: 'fail', notices: [] });
  const silent = await lifeboat([...words, '--notify-on', 'always'], { env: { LIFEBOAT_NOTIFY: 'none' } });
  expect(silent.code).toBe(1);
  const lost = await lifeboat([...words, '--notify-on', 'always'], {
    env: { LIFEBOAT_NOTIFY: 'slack+http://127.0.0.1:1/services/T0/B0/s3cr3ts3cr3t' },
  });
  expect(lost.code).toBe(1);
  expect(lost.stderr).toContain(
    'warning: The notification failed: Slack (127.0.0.1:1) could not be reached (ECONNREFUSED)',
  );
  expect(lost.stdout + lost.stderr).not.toContain('s3cr3t');
});

it('trusts an authority of the user, by NODE_EXTRA_CA_CERTS, for HTTP and for mail', async () => {
  const { key, cert, certFile } = makeCertificate();
  const receiver = await startReceiver(undefined, (listener) => createTlsServer({ key, cert }, listener));
  const secured = await startMailServer({ secure: true, key, cert });
  const upgraded = await startMailServer({ disabledCommands: [], key, cert, authOptional: false });
  const lines = [
    `ping+https://${receiver.host}/0d338dcc-a054-11ec-b909-0242ac120002`,
    `smtps://127.0.0.1:${secured.port}?to=ops@example.com`,
    `smtp://ops:right@127.0.0.1:${upgraded.port}?to=dba@example.com`,
  ];
  const env = { LIFEBOAT_NOTIFY: lines.join('\n'), NODE_EXTRA_CA_CERTS: certFile };
  const words = ['verify-freshness', '--source', 'orders', '--store', `file://${emptyStore()}`];
  const { stdout, stderr } = await lifeboat(words, { env });
  expect(JSON.parse(stdout)).toMatchObject({ notices: [] });
  expect(stderr).not.toContain('warning');
  expect(receiver.received.map(({ url }) => url.split('/')[2])).toEqual(['start', 'fail']);
  expect([...secured.mails, ...upgraded.mails].map(({ to }) => to[0])).toEqual(['ops@example.com', 'dba@example.com']);
});

it('gives up telling when somebody cancels meanwhile, and still reports', async () => {
  const asked = Promise.withResolvers<'cancel'>();
  const receiver = await startReceiver(() => {
    asked.resolve('cancel');
    return 'silence';
  });
  const notify = `webhook+http://${receiver.host}/hook`;
  const given = { source: 'orders', store: `file://${emptyStore()}`, notify };
  const result = await runAction({ action: 'verify-freshness', with: given, interruption: asked.promise });
  expect(result).toMatchObject({ exitCode: 1, interrupted: 'cancel', outputs: { verdict: 'fail' } });
  expect(result.summary).toContain('Not told:');
});
