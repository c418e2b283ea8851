import { clip, visible } from '../core/plain-text.ts';
import type { Log } from '../core/ports.ts';
import type { ProgressBar } from './progress-bar.ts';
import { harmless } from './stream-guard.ts';
import type { Toolkit } from './toolkit.ts';

export interface LogOptions {
  /** Whether debug lines are wanted. */
  readonly debug: boolean;
  /** Hides secrets. */
  readonly redact: (text: string) => string;
  /** Where a line can be redrawn in place. */
  readonly bar?: ProgressBar | undefined;
}

/** An annotation takes 4,096 characters. */
const LONGEST_ANNOTATION = 4_000;

/** The log of a step. Groups fold; nothing in a line can act as a workflow command. */
export function githubLog({ core, past }: Toolkit, { debug, redact }: LogOptions): Log {
  const command = (issue: (text: string) => void, text: string) =>
    past(() => issue(clip(visible(redact(text)), LONGEST_ANNOTATION)));
  return {
    info: (text) => core.info(harmless(visible(redact(text)))),
    warning: (text) => command(core.warning, text),
    debug: (text) => debug && command(core.debug, text),
    group: async (title, use) => {
      command(core.startGroup, title);
      try {
        return await use();
      } finally {
        past(core.endGroup);
      }
    },
  };
}

/**
 * The log of a terminal.
 *
 * @param write takes whole lines, each with its line end
 */
export function terminalLog(write: (text: string) => void, { debug, redact, bar }: LogOptions): Log {
  const put = bar === undefined ? write : (text: string) => bar.above(text);
  const line = (text: string) => put(`${visible(redact(text))}\n`);
  return {
    info: line,
    warning: (text) => line(`warning: ${text}`),
    debug: (text) => debug && line(`debug: ${text}`),
    group: (title, use) => {
      line(`${title}`);
      return use();
    },
    ...(bar !== undefined && { progress: (look) => bar.show(look) }),
  };
}
