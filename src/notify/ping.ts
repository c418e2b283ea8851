import { isWell } from '../core/change.ts';
import type { PingTarget } from '../core/notify-target.ts';
import type { Report } from '../core/report.ts';
import { renderText } from '../core/report-text.ts';
import { type Answer, isTaken, notTaken, post, type Sending } from './http.ts';
import type { Message } from './message.ts';

/** What every such service keeps of a body, https://healthchecks.io/docs/http_api/ */
const MAX_BYTES = 10_000;

/** @throws {Failure} `not-delivered`, `timed-out` */
export async function sendStart(target: PingTarget, sending: Sending): Promise<void> {
  await send(target, '/start', '', sending);
}

/** @throws {Failure} `not-delivered`, `timed-out` */
export async function sendPing(target: PingTarget, { report, notification }: Message, sending: Sending): Promise<void> {
  const suffix = isWell(report.verdict) ? '' : '/fail';
  await send(target, suffix, pingText(report, notification.run.url), sending);
}

/** The first lines of a report, with the run behind the verdict. */
export function pingText(report: Report, runUrl: string | undefined): string {
  const [verdict = '', ...rest] = renderText(report).split('\n');
  const text = [verdict, ...(runUrl === undefined ? [] : [runUrl]), ...rest].join('\n');
  if (Buffer.byteLength(text) <= MAX_BYTES) return text;
  const mark = '\n…\n';
  const cut = Buffer.from(text)
    .subarray(0, MAX_BYTES - Buffer.byteLength(mark))
    .toString('utf8');
  // A character of several bytes may have been cut through.
  return `${cut.replace(/\ufffd$/, '')}${mark}`;
}

async function send(target: PingTarget, suffix: string, body: string, sending: Sending): Promise<void> {
  const { label } = target;
  const url = new URL(target.url);
  url.pathname += suffix;
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  const answer = await post({ label, url: url.href, headers, body }, sending);
  if (isTaken(answer) && !isUnknown(answer)) return;
  const said = /^[\w ()-]{1,60}$/.test(answer.body.trim()) ? answer.body.trim() : '';
  throw notTaken(label, answer, said, 'Check that the check exists, and that its whole ping URL was copied.');
}

/** Healthchecks answers 200 to the number of a check that does not exist. */
function isUnknown({ body }: Answer): boolean {
  return /^OK \((not found|rate limited)\)/.test(body);
}
