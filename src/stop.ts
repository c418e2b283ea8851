import { Failure } from './core/failure.ts';
import type { Log } from './core/ports.ts';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Aborts on the first signal, so that children, uploads and scratch servers can be ended in order,
 * and exits on the second. The runner sends SIGINT, 7.5 s later SIGTERM, and kills 2.5 s after that.
 */
export function stopOnSignals(log: Log): AbortController {
  const stop = new AbortController();
  for (const [name, code] of Object.entries(EXIT_CODES)) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(code);
      log.info(`Stopping on ${name}: ending children and removing what is unfinished.`);
      stop.abort(
        new Failure('cancelled', `The step was cancelled (${name}).`, {
          hint: 'Nothing half-made counts as a backup. What is left of it is removed by the end of the job, or by the next run. Run it again when you want the result.',
        }),
      );
    });
  }
  return stop;
}
