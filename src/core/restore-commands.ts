import type { ProbeAnswer } from './application.ts';
import { formatDuration } from './duration.ts';
import { Failure } from './failure.ts';
import type { World } from './ports.ts';
import { type Finding, finding } from './report.ts';
import { shownUrl } from './restore-plan.ts';

/** One try of the health check. */
const TRY_MS = 10_000;
/** Less says nothing of an application that is slow to begin with. */
const SHORTEST_TRY_MS = 1_000;
const PAUSE_MS = 2_000;

/**
 * Runs the commands of `before` or `after`, each line of their output in the log.
 *
 * @throws {Failure} `tool-failed` when they failed
 */
export async function runCommands(name: 'before' | 'after', script: string, world: World): Promise<Finding> {
  const end = await world.application.runScript(script, (line) => world.log.info(`${name}: ${line}`));
  if (end.code === 0) return finding('restore-commands', 'pass', `\`${name}\` ran to its end.`, { subject: name });
  const how = end.code === null ? `was ended by ${end.signal ?? 'a signal'}` : `exited with ${end.code}`;
  throw new Failure('tool-failed', `\`${name}\` ${how}.`, {
    hint: `Its output stands in the log. It may have done a part of its work: look at the application, then run the rest of \`${name}\` by hand.`,
  });
}

/** Asks until the answer is 2xx, or the time is over; then a `fail` with the last answer. */
export async function awaitHealth(url: string, timeoutMs: number, world: World): Promise<Finding> {
  const beganAt = world.now().getTime();
  const left = () => beganAt + timeoutMs - world.now().getTime();
  let tries = 0;
  let told = '';
  for (;;) {
    world.signal.throwIfAborted();
    const answer = await world.application.probe(url, Math.max(SHORTEST_TRY_MS, Math.min(TRY_MS, left())));
    tries += 1;
    const said = describeAnswer(answer);
    if ('status' in answer && answer.status >= 200 && answer.status < 300)
      return healthy(url, tries, timeoutMs - left());
    // A line for each change, not for each try.
    if (said !== told) world.log.info(`${shownUrl(url)} ${said}.`);
    told = said;
    if (left() <= 0) return unhealthy(url, { tries, said, timeoutMs });
    await world.sleep(Math.min(PAUSE_MS, left()));
  }
}

function healthy(url: string, tries: number, ms: number): Finding {
  const seconds = Math.round(ms / 1000);
  return finding('restore-health', 'pass', `${shownUrl(url)} was healthy after ${formatDuration(Math.max(0, ms))}.`, {
    numbers: { tries, seconds },
  });
}

function unhealthy(
  url: string,
  { tries, said, timeoutMs }: { tries: number; said: string; timeoutMs: number },
): Finding {
  const message = `${shownUrl(url)} did not get healthy in ${formatDuration(timeoutMs)}; at the last try it ${said}.`;
  return finding('restore-health', 'fail', message, {
    numbers: { tries, limitSeconds: timeoutMs / 1000 },
    hint: 'Look at the log of the application. What was restored is in its place.',
  });
}

function describeAnswer(answer: ProbeAnswer): string {
  return 'status' in answer ? `answered ${answer.status}` : answer.problem;
}
