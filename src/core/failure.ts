/** What kind of thing went wrong: coarse enough to switch on, stable enough to put in an output. */
export type FailureCode =
  | 'invalid-input'
  | 'tool-missing'
  | 'tool-failed'
  | 'tool-version'
  | 'source-unreachable'
  | 'source-denied'
  | 'source-busy'
  | 'source-changed'
  | 'source-refused'
  | 'store-denied'
  | 'store-unavailable'
  | 'store-missing'
  | 'store-full'
  | 'not-found'
  | 'backup-not-found'
  | 'backup-invalid'
  | 'artifact-corrupt'
  | 'archived'
  | 'decryption-failed'
  | 'disk-full'
  | 'scratch-failed'
  | 'restore-failed'
  | 'target-failed'
  | 'guard-refused'
  | 'github-denied'
  | 'github-invalid'
  | 'github-unavailable'
  | 'not-delivered'
  | 'page-not-written'
  | 'file-not-written'
  | 'stalled'
  | 'timed-out'
  | 'cancelled';

/**
 * A failure we can explain. Anything else that reaches `main.ts` is a bug and is shown with its stack.
 *
 * `message` says what happened, `hint` what the reader can do next, `cause` keeps the original error.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly hint: string | undefined;

  constructor(code: FailureCode, message: string, extra: { hint?: string; cause?: unknown } = {}) {
    super(message, 'cause' in extra ? { cause: extra.cause } : undefined);
    this.code = code;
    this.hint = extra.hint;
  }
}

/** The words of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
