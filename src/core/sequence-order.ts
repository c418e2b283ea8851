import type { SequenceFact } from './facts.ts';

/** Whether a sequence at `a` gives its next value earlier than one at `b`, in the direction it counts. */
export function isBefore(a: SequenceFact['before'], b: SequenceFact['before'], increment: string): boolean {
  const [left, right] = [BigInt(a.value), BigInt(b.value)];
  if (left === right) return !a.isCalled && b.isCalled;
  return BigInt(increment) < 0n ? left > right : left < right;
}
