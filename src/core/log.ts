import type { Progress } from './progress.ts';

export interface Log {
  info(line: string): void;
  warning(line: string): void;
  debug(line: string): void;
  /** Folds what `use` logs under a title where the medium can. */
  group<T>(title: string, use: () => Promise<T>): Promise<T>;
  /**
   * Shows how far something is until the function it returns is called. Absent where nothing can be drawn in place:
   * lines now and then must do there.
   *
   * @param look asked a few times a second
   */
  progress?(look: () => Progress): () => void;
}
