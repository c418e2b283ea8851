import { type Action, actions } from '../actions/index.ts';
import * as adopt from './adopt.ts';
import * as copy from './copy.ts';
import * as init from './init.ts';
import * as list from './list.ts';
import * as pin from './pin.ts';
import * as show from './show.ts';
import * as status from './status.ts';
import * as undelete from './undelete.ts';
import * as unpin from './unpin.ts';

/** What the command line has: every action, and what makes no sense as a step. A new command is one file and one line here. */
export const commands = {
  ...actions,
  list: { ...list, outputs: {}, run: list.list },
  pin: { ...pin, outputs: {}, run: pin.pin },
  show: { ...show, outputs: {}, run: show.show },
  adopt: { ...adopt, outputs: {}, run: adopt.adopt },
  copy: { ...copy, outputs: {}, run: copy.copy },
  init: { ...init, outputs: {}, run: init.init },
  status: { ...status, outputs: {}, run: status.status },
  undelete: { ...undelete, outputs: {}, run: undelete.undelete },
  unpin: { ...unpin, outputs: {}, run: unpin.unpin },
} satisfies Record<string, Action>;

export type CommandName = keyof typeof commands;

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}
