import type { FileSystem } from './store-traits.ts';

/** A folder, or the nearest one above it that exists. */
export interface Room {
  readonly path: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly fileSystem: FileSystem;
}

/** The machine that this runs on. */
export interface Machine {
  /** `24.21.0` */
  readonly node: string;
  /** `linux x64` */
  readonly platform: string;
  /** Programs beside those of databases; without a version where they are missing. */
  readonly programs: readonly { readonly name: string; readonly version: string | undefined }[];
  readonly scratch: Room;
  /** Of GitHub; undefined on a terminal. */
  readonly runner:
    | {
        /** `2.330.0`, where its folder tells. */
        readonly version: string | undefined;
        readonly temp: Room | undefined;
      }
    | undefined;
}

/** Files of the user, by absolute path. */
export interface Files {
  /** As it was typed: relative to the workspace of a step, else to where the command was typed. */
  resolve(path: string): string;
  /** Undefined when there is none. */
  read(path: string): Promise<string | undefined>;
  /**
   * Writes a file, whole or not at all, and the folders above it. A secret one can be read by this user alone.
   * Rejects with `file-not-written`.
   */
  write(path: string, text: string, options: { readonly secret: boolean }): Promise<void>;
  /** The repository of git that a path would lie in. */
  repositoryOf(path: string): Promise<string | undefined>;
  /** The home of this user. */
  readonly home: string;
}

/** What there is around the work: the machine, its user, and GitHub. */
export interface Workplace {
  examineMachine(scratchDir: string): Promise<Machine>;
  /** Reads issues as a token may; false outside of a repository. Rejects with `github-denied`, `github-unavailable`. */
  tryIssues(token: string): Promise<boolean>;
  readonly files: Files;
  /** Asks who sits at the terminal, and resolves with one line; undefined where nobody does. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
}
