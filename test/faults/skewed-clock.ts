// Loaded before the program: its clock is twenty minutes ahead of everybody else's.
const AHEAD_MS = 20 * 60_000;
const RealDate = Date;

class SkewedDate extends RealDate {
  constructor(...given: unknown[]) {
    super(...((given.length === 0 ? [RealDate.now() + AHEAD_MS] : given) as [number]));
  }
  static override now(): number {
    return RealDate.now() + AHEAD_MS;
  }
}

globalThis.Date = SkewedDate as DateConstructor;
