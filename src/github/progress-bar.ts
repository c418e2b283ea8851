import { oneLine } from '../core/plain-text.ts';
import { addSample, drawProgress, type Progress, type ProgressSample } from '../core/progress.ts';

const REDRAW_MS = 200;
/** To the start of the line, and what stands on it away. */
const CLEAR = '\r\u001b[K';

/** A terminal that can redraw a line, and a clock. */
export interface Canvas {
  readonly write: (text: string) => void;
  readonly columns: () => number;
  readonly nowMs: () => number;
  /** Takes secrets out of what is drawn. */
  readonly redact: (text: string) => string;
}

/** One line at the bottom that is redrawn in place; lines of the log go above it. */
export class ProgressBar {
  readonly #canvas: Canvas;
  readonly #shown: { look: () => Progress; samples: ProgressSample[] }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isDrawn = false;

  constructor(canvas: Canvas) {
    this.#canvas = canvas;
  }

  /** Shows one more; the one that came last is drawn until it is hidden. */
  show(look: () => Progress): () => void {
    const shown = { look, samples: [] };
    this.#shown.push(shown);
    this.#timer ??= setInterval(() => this.draw(), REDRAW_MS).unref();
    return () => {
      const at = this.#shown.indexOf(shown);
      if (at >= 0) this.#shown.splice(at, 1);
      if (this.#shown.length === 0) this.end();
    };
  }

  /** Writes whole lines without a trace of the bar among them. */
  above(text: string): void {
    this.#erase();
    this.#canvas.write(text);
    if (this.#shown.length > 0) this.draw();
  }

  /** Nothing is drawn any more, whoever forgot to say so. */
  end(): void {
    this.#shown.length = 0;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#erase();
  }

  draw(): void {
    const shown = this.#shown.at(-1);
    if (shown === undefined) return;
    const progress = shown.look();
    shown.samples = addSample(shown.samples, { atMs: this.#canvas.nowMs(), doneBytes: progress.doneBytes });
    // The last column stays free: a character there makes some terminals begin a new line.
    const line = drawProgress(progress, shown.samples, this.#canvas.columns() - 1);
    this.#canvas.write(CLEAR + oneLine(this.#canvas.redact(line)));
    this.#isDrawn = true;
  }

  #erase(): void {
    if (this.#isDrawn) this.#canvas.write(CLEAR);
    this.#isDrawn = false;
  }
}
