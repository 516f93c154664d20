/**
 * A bar that shows how far something is; only on a terminal, and gone without a trace at the end.
 */
import type { CliParts } from '../parts.ts';

export interface ProgressBar extends Disposable {
  /** @param part 0 to 1 */
  show(part: number): void;
}

const WIDTH = 40;

export function progressBar({ isTerminal, err }: Pick<CliParts, 'isTerminal' | 'err'>): ProgressBar {
  let shown = '';
  return {
    show(part) {
      const done = Math.round(part * WIDTH);
      const text = `[${'#'.repeat(done)}${' '.repeat(WIDTH - done)}] ${Math.floor(part * 100)} %`;
      if (!isTerminal || text === shown) return;
      shown = text;
      err.write(`\r${text}`);
    },
    [Symbol.dispose]() {
      if (shown !== '') err.write(`\r${' '.repeat(shown.length)}\r`);
    },
  };
}
