/** A guard of the program, and the test that must turn red without it. */
export interface Guard {
  readonly what: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly guard: string;
  /** What stands there once the guard is gone. */
  readonly without: string;
  readonly test: string;
  /** The test runs the bundle: it is built anew. */
  readonly isBuilt?: boolean;
}
