/** Pages for people, which leave this machine by another way than the report. */
export interface Pages {
  /** Takes every secret of this run out of text that leaves this machine by another way than the report. */
  redact(text: string): string;
  /**
   * Writes a page for people, whole or not at all: `path` itself when it ends in `.html`, else `index.html` in
   * that folder, which is made. Resolves with the path written. Rejects with `guard-refused` where a file lies
   * that is no page of ours.
   */
  writePage(path: string, page: string, stores: readonly string[]): Promise<string>;
}
