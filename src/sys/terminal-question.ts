import { createInterface } from 'node:readline/promises';

/** Asks on stderr, since stdout holds the report; undefined where nobody can answer. */
export function terminalQuestion(signal: AbortSignal): ((question: string) => Promise<string>) | undefined {
  if (process.stdin.isTTY !== true) return undefined;
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return (await lines.question(`${question} `, { signal })).trim();
    } finally {
      lines.close();
    }
  };
}
