/** What the runner does with the lines a step writes, after actions/runner's ActionCommandManager. */

export interface Annotation {
  readonly type: 'error' | 'warning' | 'notice';
  readonly message: string;
  readonly title: string | undefined;
}

const COMMANDS = new Set([
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
]);

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

/** Masks live as long as the job; every line of every step goes through them. */
export class Masks {
  readonly values = new Set<string>();

  add(value: string): void {
    for (const line of [value, ...value.split(/\r?\n/)]) if (line.trim() !== '') this.values.add(line);
  }

  hide(text: string): string {
    const longestFirst = [...this.values].sort((a, b) => b.length - a.length);
    return longestFirst.reduce((rest, value) => rest.replaceAll(value, '***'), text);
  }
}

/** Log of one step. Lines of stdout and stderr come in here alike. */
export class StepLog {
  readonly annotations: Annotation[] = [];
  readonly outputs: Record<string, string> = {};
  readonly state: Record<string, string> = {};
  private readonly lines: string[] = [];
  private readonly masks: Masks;
  private readonly debug: boolean;
  private readonly onLine: (line: string) => void;
  private resumeToken: string | undefined;

  constructor(masks: Masks, debug: boolean, onLine: (line: string) => void = () => {}) {
    this.masks = masks;
    this.debug = debug;
    this.onLine = onLine;
  }

  get text(): string {
    return this.lines.map((line) => `${line}\n`).join('');
  }

  /** One line of output, without its end. */
  take(line: string): void {
    const command = parseV2(line, this.resumeToken) ?? parseV1(line, this.resumeToken);
    if (command === undefined || !this.obey(command)) this.show(line);
  }

  show(line: string): void {
    const hidden = this.masks.hide(line);
    this.lines.push(hidden);
    this.onLine(hidden);
  }

  /** @returns whether the line was a command, and is not shown as it is */
  private obey(command: Command): boolean {
    if (this.resumeToken !== undefined) {
      if (command.name !== this.resumeToken) return false;
      this.resumeToken = undefined;
      return true;
    }
    const { name, properties, data } = command;
    if (name === 'stop-commands') this.resumeToken = data;
    else if (name === 'add-mask') this.masks.add(data);
    else if (name === 'set-output') this.outputs[properties.name ?? ''] = data;
    else if (name === 'save-state') this.state[properties.name ?? ''] = data;
    else if (name === 'error' || name === 'warning' || name === 'notice') this.annotate(name, command);
    else if (name === 'group') this.show(`▼ ${data}`);
    else if (name === 'debug') this.debug && this.show(`##[debug]${data}`);
    else if (name === 'set-env' || name === 'add-path') {
      this.annotate('error', { ...command, data: `The \`${name}\` command is disabled.` });
    }
    return true;
  }

  private annotate(type: Annotation['type'], { properties, data }: Command): void {
    this.annotations.push({ type, message: this.masks.hide(data).slice(0, 4_096), title: properties.title });
    this.show(`##[${type}]${data}`);
  }
}

function isCommand(name: string, resumeToken: string | undefined): boolean {
  return COMMANDS.has(name.toLowerCase()) || (resumeToken !== undefined && name === resumeToken);
}

/** `::name key=value,…::data` after white space, which for .NET includes U+0085. */
function parseV2(line: string, resumeToken: string | undefined): Command | undefined {
  const parts = /^[\s\u0085]*::([^:\s]*)(?: (.*?))?::(.*)$/s.exec(line);
  if (parts === null || !isCommand(parts[1] ?? '', resumeToken)) return undefined;
  const properties = propertiesOf(parts[2] ?? '', ',', unescapeProperty);
  return { name: nameOf(parts[1] ?? '', resumeToken), properties, data: unescapeData(parts[3] ?? '') };
}

/** `##[name key=value;…]data` anywhere in a line. */
function parseV1(line: string, resumeToken: string | undefined): Command | undefined {
  const parts = /##\[([^\s\]]*)(?: ([^\]]*))?\](.*)$/s.exec(line);
  if (parts === null || !isCommand(parts[1] ?? '', resumeToken)) return undefined;
  const unescapeV1 = (text: string) => unescapeData(text.replaceAll('%3B', ';').replaceAll('%5D', ']'));
  const properties = propertiesOf(parts[2] ?? '', ';', unescapeV1);
  return { name: nameOf(parts[1] ?? '', resumeToken), properties, data: unescapeV1(parts[3] ?? '') };
}

function nameOf(name: string, resumeToken: string | undefined): string {
  return name === resumeToken ? name : name.toLowerCase();
}

function propertiesOf(text: string, separator: string, decode: (text: string) => string): Record<string, string> {
  const pairs = text
    .split(separator)
    .map((pair) => pair.trim().split(/=(.*)/s))
    .filter(([key, value]) => key && value);
  return Object.fromEntries(pairs.map(([key = '', value = '']) => [key, decode(value)]));
}

function unescapeData(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}

function unescapeProperty(text: string): string {
  return unescapeData(text.replaceAll('%3A', ':').replaceAll('%2C', ','));
}

/** `k=v` and `k<<DELIMITER` of a file command. Throws where the runner fails the step. */
export function parseFileCommand(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const parts = /^([^=]*?)(=|<<)(.*)$/s.exec(line);
    if (line === '') continue;
    const [, name = '', kind, rest = ''] = parts ?? [];
    if (kind === undefined || name === '') throw new Error(`Invalid format '${line}'`);
    if (kind === '=') {
      found[name] = rest;
      continue;
    }
    const end = lines.indexOf(rest, at + 1);
    if (end < 0) throw new Error(`Invalid value. Matching delimiter not found '${rest}'`);
    found[name] = lines.slice(at + 1, end).join('\n');
    at = end;
  }
  return found;
}
