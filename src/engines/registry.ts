import { Failure } from '../core/failure.ts';
import type { EngineName } from '../core/manifest.ts';
import type { Engine } from '../core/ports.ts';
import type { EngineContext } from './postgresql/engine.ts';

/** Engine by name; loaded when first needed. A new engine is one folder and one line here. */
const engines: Partial<Record<EngineName, (context: EngineContext) => Promise<Engine>>> = {
  postgresql: async (context) => (await import('./postgresql/engine.ts')).postgresql(context),
};

/** @throws {Failure} `invalid-input` for a kind of server this version cannot handle */
export async function openEngine(name: EngineName, context: EngineContext): Promise<Engine> {
  const open = engines[name];
  if (open !== undefined) return await open(context);
  throw new Failure('invalid-input', `This version of Lifeboat cannot handle ${name}.`, {
    hint: `It handles ${Object.keys(engines).join(', ')}.`,
  });
}
