import { createHash } from 'node:crypto';

/** Numbers that look random and are the same for the same words. */
export interface Dice {
  /** From 0 up to, not including, 1. */
  share(): number;
  /** A whole number, both ends included. */
  between(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
}

/** The dice of one fault in one round: those of the others do not change when one is left out. */
export function diceOf(...words: readonly (string | number)[]): Dice {
  let throws = 0;
  const share = () => {
    const digest = createHash('sha256').update(JSON.stringify([...words, throws]));
    throws += 1;
    return digest.digest().readUInt32BE(0) / 2 ** 32;
  };
  const between = (from: number, to: number) => from + Math.floor(share() * (to - from + 1));
  return {
    share,
    between,
    pick: (items) => {
      const item = items[between(0, items.length - 1)];
      if (item === undefined) throw new Error('There is nothing to pick from.');
      return item;
    },
  };
}
