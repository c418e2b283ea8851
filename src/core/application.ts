/** How the commands of a script ended. */
export interface ScriptEnd {
  /** Null when a signal ended them. */
  readonly code: number | null;
  readonly signal: string | null;
}

/** What a URL answered: an HTTP status, or why there was no answer. */
export type ProbeAnswer = { readonly status: number } | { readonly problem: string };

/** What a restore asks of the application around a database. */
export interface Application {
  /**
   * Runs commands with bash, which ends at the first that fails, in the workspace and with an environment without inputs
   * and tokens. What they leave running in the background goes on, unless they are ended on abort.
   *
   * @param onLine gets every line of their output, without its end
   * @throws the signal's reason when the run is stopped; the commands and all that they started are ended by then
   */
  runScript(script: string, onLine: (line: string) => void): Promise<ScriptEnd>;
  /** One GET, redirects not followed, given up after `withinMs`. Rejects only when the run is stopped. */
  probe(url: string, withinMs: number): Promise<ProbeAnswer>;
}
