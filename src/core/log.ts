export interface Log {
  info(line: string): void;
  warning(line: string): void;
  debug(line: string): void;
  /** Folds what `use` logs under a title where the medium can. */
  group<T>(title: string, use: () => Promise<T>): Promise<T>;
}
