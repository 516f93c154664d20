/**
 * Figures of a benchmark: a table for people and one JSON document for machines. Times are told with their ratio to
 * what they should be measured by, and never judged here.
 */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is compared with, in the same unit, and what that is. */
  readonly against?: { readonly value: number; readonly what: string };
}

export function printFigures(title: string, figures: readonly Figure[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ title, figures }, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${title}\n`);
  for (const { what, value, unit, against } of figures) {
    const ratio =
      against === undefined
        ? ''
        : `   ${(value / against.value).toFixed(2)} x ${against.what} (${round(against.value)} ${unit})`;
    process.stdout.write(`  ${what.padEnd(52)} ${round(value).padStart(9)} ${unit.padEnd(4)}${ratio}\n`);
  }
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What was opened is closed at the end, also when the benchmark fails or is interrupted. */
export async function withClosing(
  work: (closing: { after(close: () => Promise<void>): void }) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const interrupted = new Promise<never>((_, reject) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => reject(new Error(name)));
  });
  await Promise.race([work({ after: (close) => stack.defer(close) }), interrupted]);
}
