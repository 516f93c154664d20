/**
 * Figures of a benchmark: a table for people and, with `--json FILE`, one JSON document for machines. Values are told
 * with their ratio to what they should be measured by, and never judged here.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is compared with, in the same unit, and what that is. */
  readonly against?: { readonly value: number; readonly what: string };
}

/** @param json the file to write as well */
export function printFigures(title: string, figures: readonly Figure[], json: string | undefined): void {
  writeJson(json, { title, figures });
  process.stdout.write(`${title}\n`);
  for (const { what, value, unit, against } of figures) {
    const ratio =
      against === undefined
        ? ''
        : `   ${(value / against.value).toFixed(2)} x ${against.what} (${round(against.value)} ${unit})`;
    process.stdout.write(`  ${what.padEnd(52)} ${round(value).padStart(9)} ${unit.padEnd(4)}${ratio}\n`);
  }
}

export interface Column<Row> {
  readonly head: string;
  readonly of: (row: Row) => string;
}

/** Many measurements, one in a line. The JSON has the rows as they are. */
export function printRows<Row>(
  title: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  json: string | undefined,
): void {
  writeJson(json, { title, rows });
  const cells = [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ of }) => of(row)))];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  const lines = cells.map((line) => line.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('   '));
  process.stdout.write(`${title}\n${lines.map((line) => `  ${line}\n`).join('')}`);
}

/** With the machine it was measured on: a figure without it says little. */
function writeJson(file: string | undefined, content: Record<string, unknown>): void {
  if (file === undefined) return;
  const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version };
  writeFileSync(file, `${JSON.stringify({ ...content, machine }, null, 2)}\n`);
}

/** Measures one row in a process of its own, so that its memory is its own. @returns what that process printed */
export function inOwnProcess<Row>(file: string, ...words: readonly string[]): Row {
  const command = ['--disable-warning=ExperimentalWarning', file, '--row', ...words];
  return JSON.parse(
    execFileSync(process.execPath, command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
  );
}

/** Most memory this process ever had, MB (10^6 bytes). */
export function mostMemory(): number {
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** `0.42 x` */
export function ratio(value: number, of: number): string {
  return `${(value / of).toFixed(2)} x`;
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
