import { expect } from 'vitest';

/** A line of a table without its escaped bars has one bar more than cells. */
const barsIn = (line: string) => line.replaceAll(/\\[\s\S]/g, '').split('|').length - 1;

/** That nothing in a summary is taken for Markdown, HTML, mermaid, a link or a mention but what we write. */
export function expectWellFormed(summary: string): void {
  const lines = summary.split('\n');
  let bars: number | undefined;
  let isFenced = false;
  for (const line of lines) {
    if (line.startsWith('```')) isFenced = !isFenced;
    else if (isFenced)
      expect(line).toMatch(
        /^(---|config:| {2}(xyChart|themeVariables):| {4}(width: 800|height: 260|xyChart:)| {6}(backgroundColor: transparent|plotColorPalette: '#4493f8')|xychart-beta| {4}(x-axis "[^"]*" \[("\d+"(, )?)+\]|y-axis "[^"]*" 0 --> [\d.]+|bar \[[\d., ]+\]))$/,
      );
    else if (line.startsWith('|')) {
      bars ??= barsIn(line);
      expect(barsIn(line), line).toBe(bars);
      continue;
    } else expectOurs(line);
    bars = undefined;
  }
  expect(isFenced).toBe(false);
  const count = (tag: string) => lines.filter((line) => line.includes(tag)).length;
  expect(count('<details>')).toBe(count('</details>'));
}

/** Every line begins as one that we write, and holds no tag, link or mention but ours. */
function expectOurs(line: string): void {
  expect(line).toMatch(/^($|## |### |- | {2}- What to do: |\*\*|<details><summary>|<\/details>$|… )/u);
  const text = line.replaceAll(/<\/?(details|summary|code|br)>/g, '');
  expect(text).not.toMatch(/<|https?:|www\.|(^|[^\w])@\w|(?<!&)#\d/);
  // A backtick outside of the name of a rule would begin code that swallows what follows.
  const bare = line.startsWith('<details>') ? '' : text.replaceAll(/\\[\s\S]/g, '').replace(/\(`[a-z-]+`/, '(');
  expect(bare).not.toMatch(/[`[\]$~]|(?<!\*)\*(?!\*)/);
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
}
