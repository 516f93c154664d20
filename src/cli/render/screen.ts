/**
 * Screen: what the output goes to. Paint goes on last, after everything is measured and cut.
 */
import { styleText } from 'node:util';

export interface Screen {
  /** Nothing printed is wider; Infinity for a pipe or a file. */
  readonly columns: number;
  readonly color: boolean;
  /** Epoch ms, for "3 min ago". */
  readonly now: number;
}

export type Style = 'red' | 'yellow' | 'green' | 'cyan' | 'dim' | 'bold';

export function paint(screen: Screen, style: Style | undefined, text: string): string {
  if (!screen.color || style === undefined || text === '') return text;
  return styleText(style, text, { validateStream: false });
}
