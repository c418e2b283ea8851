import { computed, type Html, html } from './html.ts';
import { dayOf } from './status.ts';
import type { Reading } from './status-readings.ts';

export interface Curve {
  /** Of its ids in the page: letters, digits, hyphens. */
  readonly id: string;
  readonly title: string;
  /** Oldest first. */
  readonly readings: readonly Reading[];
  readonly format: (value: number) => string;
  /** Factors of the units that the axis may count in, ascending: 1, 60, 3600 of seconds. */
  readonly units: readonly number[];
  /** What stands in its place while there is nothing to draw. */
  readonly nothing: string;
}

const WIDTH = 320;
const HEIGHT = 160;
const LEFT = 62;
const RIGHT = 10;
const TOP = 12;
const BOTTOM = 26;
/** More dots than these run into each other. */
const MOST_DOTS = 40;
const STEPS = [1, 2, 3, 4, 5, 6, 8, 10];

/** A curve over time with its axes, and its numbers as a table. A single value is a dot. */
export function curveHtml(curve: Curve, most: number): Html {
  const { id, title, format, nothing } = curve;
  const readings = curve.readings.filter(({ value }) => Number.isFinite(value) && value >= 0).slice(-most);
  const last = readings.at(-1);
  if (last === undefined) {
    return html`<figure class="curve"><figcaption>${title}</figcaption><p class="quiet">${nothing}</p></figure>`;
  }
  const rows = readings
    .toReversed()
    .map(({ at, value }) => html`<tr><td>${minuteOf(at)}</td><td class="n">${format(value)}</td></tr>`);
  return html`<figure class="curve"><figcaption>${title} <strong>${format(last.value)}</strong></figcaption>
<svg role="img" aria-labelledby="${id}-t ${id}-d" viewBox="0 0 ${WIDTH} ${HEIGHT}"><title id="${id}-t">${title}</title><desc id="${id}-d">${inWords(readings, format)}</desc>${drawing(curve, readings)}</svg>
<details><summary>As a table</summary><div class="scroll tall" tabindex="0" role="group" aria-label="${title}, as a table"><table>
<caption>${title}, newest first</caption><thead><tr><th scope="col">When (UTC)</th><th scope="col" class="n">Value</th></tr></thead><tbody>${rows}</tbody></table></div></details></figure>`;
}

function drawing({ format, units }: Curve, readings: readonly Reading[]): Html {
  const top = topOf(
    readings.reduce((most, { value }) => Math.max(most, value), 0),
    units,
  );
  const [first, last] = [readings[0]?.at.getTime() ?? 0, readings.at(-1)?.at.getTime() ?? 0];
  const x = (at: number) =>
    last === first ? (LEFT + WIDTH - RIGHT) / 2 : LEFT + ((at - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const places = readings.map(({ at, value }) => ({ x: rounded(x(at.getTime())), y: rounded(y(value)) }));
  return html`${[0, top / 2, top].map((tick) => gridLine(rounded(y(tick)), format(tick)))}${dateLabels(readings)}${line(places)}${dots(places)}`;
}

function gridLine(y: number, label: string): Html {
  return html`<path class="grid" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/><text class="tick" x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${label}</text>`;
}

function dateLabels(readings: readonly Reading[]): Html {
  const [first, last] = [readings[0], readings.at(-1)].map((one) => (one === undefined ? '' : dayOf(one.at)));
  const y = HEIGHT - 6;
  if (readings.length === 1) {
    return html`<text class="tick" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${y}" text-anchor="middle">${first}</text>`;
  }
  return html`<text class="tick" x="${LEFT}" y="${y}">${first}</text><text class="tick" x="${WIDTH - RIGHT}" y="${y}" text-anchor="end">${last}</text>`;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

function line(places: readonly Place[]): Html | undefined {
  const [first, last] = [places[0], places.at(-1)];
  if (first === undefined || last === undefined || places.length < 2) return undefined;
  const path = computed(places.map(({ x, y }) => `${x} ${y}`).join('L'));
  const base = HEIGHT - BOTTOM;
  return html`<path class="area" d="M${first.x} ${base}L${path}L${last.x} ${base}z"/><path class="line" d="M${path}"/>`;
}

/** All of a few; of many only the last, which is the value beside the title. */
function dots(places: readonly Place[]): Html[] {
  const shown = places.length <= MOST_DOTS ? places : places.slice(-1);
  return shown.map(({ x, y }) => html`<circle class="point" cx="${x}" cy="${y}" r="2.5"/>`);
}

/** The smallest round number above, in the largest unit that the value fills. */
function topOf(largest: number, units: readonly number[]): number {
  const unit = units.findLast((factor) => largest >= factor) ?? units[0] ?? 1;
  const inUnit = Math.max(largest / unit, Number.MIN_VALUE);
  const power = 10 ** Math.floor(Math.log10(inUnit));
  const step = STEPS.find((one) => one * power >= inUnit) ?? 10;
  return largest === 0 ? unit : step * power * unit;
}

function inWords(readings: readonly Reading[], format: (value: number) => string): string {
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined) return '';
  if (readings.length === 1) return `${format(last.value)} on ${dayOf(last.at)}; there is one value.`;
  const values = readings.map(({ value }) => value);
  const [least, most] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  return `From ${format(first.value)} on ${dayOf(first.at)} to ${format(last.value)} on ${dayOf(last.at)}; the least is ${format(least)}, the most ${format(most)}, of ${readings.length} values.`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** `2026-11-21 03:00`, in UTC. */
export function minuteOf(at: Date): string {
  return at.toISOString().slice(0, 16).replace('T', ' ');
}
