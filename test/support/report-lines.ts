/**
 * A reporter for node:test: one JSON line per test that starts or ends. run-all.ts reads them from a file, so that what
 * a test itself prints cannot be taken for a result.
 */
import type { TestEvent } from 'node:test/reporters';

export type ReportLine =
  | { readonly kind: 'start'; readonly name: string }
  | { readonly kind: 'pass'; readonly name: string; readonly ms: number }
  | { readonly kind: 'fail'; readonly name: string; readonly ms: number; readonly error: string }
  /** `reason` is empty when the test gives none. */
  | { readonly kind: 'skip'; readonly name: string; readonly reason: string };

export default async function* reportLines(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const line = lineOf(event);
    if (line) yield `${JSON.stringify(line)}\n`;
  }
}

function lineOf(event: TestEvent): ReportLine | null {
  // Not test:start, which waits for its turn in the report: of a test that hangs it would never come.
  if (event.type === 'test:dequeue') return { kind: 'start', name: event.data.name };
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return null;
  const { name, details, skip, todo } = event.data;
  if (skip !== undefined && skip !== false) return { kind: 'skip', name, reason: typeof skip === 'string' ? skip : '' };
  if (todo !== undefined && todo !== false) return { kind: 'skip', name, reason: `not done yet: ${todo}` };
  if (event.type === 'test:pass') {
    return details.type === 'suite' ? null : { kind: 'pass', name, ms: details.duration_ms };
  }
  // A parent that failed only because a test inside it did would count the same failure twice.
  const error: unknown = event.data.details.error;
  if (error instanceof Error && 'failureType' in error && error.failureType === 'subtestsFailed') return null;
  return { kind: 'fail', name, ms: details.duration_ms, error: sayFully(error) };
}

/** Message and stack of what the test threw, without Node's own frames. */
function sayFully(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  const deeper = cause instanceof Error && cause.cause !== undefined ? `\ncause: ${sayFully(cause.cause)}` : '';
  const lines = text.split('\n').filter((line) => !/^\s+at .*\(?node:/.test(line));
  return lines.join('\n') + deeper;
}
