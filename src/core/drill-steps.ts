import type { World } from './ports.ts';

/** One part of a drill, and how long it took. */
export interface DrillStep {
  readonly name: string;
  readonly seconds: number;
}

/** Takes the time of steps that follow each other. */
export interface StepClock {
  /** Ends the step before. */
  begin(name: string): void;
  /** Ends the last step. */
  end(): void;
  readonly steps: readonly DrillStep[];
}

export function stepClock({ now }: Pick<World, 'now'>): StepClock {
  const steps: DrillStep[] = [];
  let current: { name: string; at: number } | undefined;
  const end = () => {
    if (current !== undefined) steps.push({ name: current.name, seconds: (now().getTime() - current.at) / 1000 });
    current = undefined;
  };
  const begin = (name: string) => {
    end();
    current = { name, at: now().getTime() };
  };
  return { begin, end, steps };
}
