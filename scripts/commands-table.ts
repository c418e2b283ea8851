import { commandHelp, occasions } from '../src/command-help.ts';
import { commands } from '../src/commands/index.ts';

/**
 * Fills the table of docs/CLI.md, between `<!-- commands -->` and `<!-- end -->`.
 *
 * @throws when the document has no place for it
 */
export function fillCommands(text: string): string {
  const [before, , after] = /^([\s\S]*<!-- commands -->\n)([\s\S]*?)(<!-- end -->[\s\S]*)$/.exec(text)?.slice(1) ?? [];
  if (before === undefined || after === undefined) throw new Error('docs/CLI.md has no place for its table.');
  return `${before}\n${commandsTable()}\n\n${after}`;
}

function commandsTable(): string {
  const names = new Set([...Object.keys(commands), 'completion']);
  const rows = Object.entries(commandHelp).flatMap(([name, { occasion, summary }]) =>
    names.has(name) ? [`| \`${name}\` | ${occasions[occasion]} | ${summary} |`] : [],
  );
  return ['| Command | When | What it is for |', '| --- | --- | --- |', ...rows].join('\n');
}
