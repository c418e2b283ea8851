export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Reads the text format of Prometheus by its own rules, apart from the parser under test: HELP and TYPE once and before
 * the samples, all lines of a metric together, no series twice, a line feed at the end.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function readExposition(text: string): ExposedSample[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('The last line has no end.');
  const samples: ExposedSample[] = [];
  const seen = new Set<string>();
  const said = { HELP: new Set<string>(), TYPE: new Set<string>() };
  let current = '';
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, word, named] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) \S/.exec(line) ?? [];
    const sample = named === undefined ? readSample(line) : undefined;
    const name = named ?? sample?.name ?? '';
    if (name !== current && seen.has(name)) throw new Error(`Lines of ${name} are not together.`);
    current = name;
    seen.add(name);
    if (word === 'HELP' || word === 'TYPE') {
      if (said[word].has(name) || samples.at(-1)?.name === name)
        throw new Error(`${word} of ${name} is late or twice.`);
      said[word].add(name);
    }
    if (sample !== undefined) samples.push(sample);
  }
  refuseTwice(samples);
  for (const { name } of samples) if (!said.HELP.has(name) || !said.TYPE.has(name)) throw new Error(`${name} is bare.`);
  return samples;
}

function readSample(line: string): ExposedSample {
  const [, name = '', labels, value = ''] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^\n]*)\})? (\S+)$/.exec(line) ?? [];
  if (name === '' || !Number.isFinite(Number(value))) throw new Error(`Not a sample: ${line}`);
  return { name, labels: labels === undefined ? {} : readLabels(labels), value: Number(value) };
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const [all, name = '', value = ''] =
      /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/.exec(rest) ?? [];
    if (all === undefined || name in labels) throw new Error(`Not labels: ${text}`);
    labels[name] = value.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
    rest = rest.slice(all.length);
  }
  return labels;
}

function refuseTwice(samples: readonly ExposedSample[]): void {
  const series = samples.map(({ name, labels }) => name + JSON.stringify(Object.entries(labels).toSorted()));
  const twice = series.filter((one, at) => series.indexOf(one) !== at);
  if (twice.length > 0) throw new Error(`Twice: ${twice.join(', ')}`);
}

/** The value of one series; undefined when it is not there. */
export function seriesValue(
  samples: readonly ExposedSample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = JSON.stringify(Object.entries(labels).toSorted());
  return samples.find((one) => one.name === name && JSON.stringify(Object.entries(one.labels).toSorted()) === wanted)
    ?.value;
}
