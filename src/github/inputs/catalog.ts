import { Failure } from '../../core/failure.ts';
import { isId } from '../../core/keys.ts';
import { parsed, shared, text } from '../inputs.ts';
import { common } from './every-action.ts';

/** Inputs of commands that look into stores and tell nobody but the reader. */
export const looking = {
  store: common.store,
  source: shared.source.optional(),
  timeout: common.timeout,
  'stall-timeout': common['stall-timeout'],
} as const;

export const backup = text('Which backup: `latest`, `oldest`, `random`, or an id.');

export const id = parsed(parseId, 'Id of the backup, e.g. `20261121T031500Z-3f9a1c`.', {});

export const asOf = parsed(
  parseMoment,
  'A moment in the past, e.g. `2026-11-21T03:00:00Z`; needs a bucket that keeps versions.',
  {},
).optional();

function parseId(value: string): string {
  if (isId(value)) return value;
  throw new Failure('invalid-input', `"${value}" is no id.`, {
    hint: 'Give an id such as 20261121T031500Z-3f9a1c; `lifeboat list` and `lifeboat list --deleted` show them.',
  });
}

const MOMENT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** With its zone: nobody knows at 3 a.m. which one a machine has. A day alone is its beginning, UTC. */
function parseMoment(value: string): Date {
  const at = new Date(MOMENT.test(value) ? value : Number.NaN);
  if (!Number.isNaN(at.getTime())) return at;
  throw new Failure('invalid-input', `"${value}" is no moment.`, {
    hint: 'Write it with its zone: `2026-11-21T03:00:00Z`, `2026-11-21T04:00+01:00`; `2026-11-21` is 00:00 UTC.',
  });
}
