import { type Action, actions } from '../actions/index.ts';
import * as status from './status.ts';

/** What the command line has: every action, and what makes no sense as a step. A new command is one file and one line here. */
export const commands = {
  ...actions,
  status: { ...status, outputs: {}, run: status.status },
} satisfies Record<string, Action>;

export type CommandName = keyof typeof commands;

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}
