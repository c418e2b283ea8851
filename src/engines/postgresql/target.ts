import { Failure } from '../../core/failure.ts';
import type { Target, TargetRequest } from '../../core/ports.ts';
import type { ConnectedContext } from './scratch.ts';

/** Lends the server that a restore works on. */
export async function withTarget<T>(
  _request: TargetRequest,
  _context: ConnectedContext,
  _use: (target: Target) => Promise<T>,
): Promise<T> {
  throw new Failure('tool-missing', 'Restoring is not there yet.');
}
