/**
 * Outcome: what came of one test file, or of the lint or type check, and how it is shown.
 */
import type { RunResult } from '../../src/lib/run.ts';
import type { ReportLine } from './report-lines.ts';

export interface Outcome {
  /** `src/lib/notify.test.ts`, `lint`, `types`. */
  readonly name: string;
  readonly passed: number;
  readonly failed: readonly { readonly test: string; readonly text: string }[];
  readonly skipped: readonly { readonly test: string; readonly reason: string }[];
  /** Milliseconds. */
  readonly took: number;
}

/** A skip whose reason begins so is the nature of the thing; every other one means that this machine lacks something. */
export const NOT_APPLICABLE = 'not applicable';

/** Of a program that is one test: it passes by ending with 0. */
export function outcomeOfCheck(name: string, result: RunResult): Outcome {
  const ok = result.code === 0;
  const text = output(result);
  return { name, passed: ok ? 1 : 0, failed: ok ? [] : [{ test: name, text }], skipped: [], took: result.took };
}

/** @param lines what the reporter wrote while `result` ran. */
export function outcomeOfFile(name: string, result: RunResult, lines: readonly ReportLine[]): Outcome {
  const failed = lines.filter((line) => line.kind === 'fail').map((line) => ({ test: line.name, text: line.error }));
  const skips = lines.filter((line) => line.kind === 'skip');
  for (const skip of skips) {
    if (skip.reason.trim() === '') failed.push({ test: skip.name, text: 'skipped without saying why' });
  }
  const passed = lines.filter((line) => line.kind === 'pass').length;
  const skipped = skips.flatMap((skip) =>
    skip.reason.trim() === '' ? [] : [{ test: skip.name, reason: skip.reason.trim() }],
  );
  const whole = problemOfWhole(result, lines, failed.length > 0);
  if (whole !== '') failed.push({ test: 'the file as a whole', text: whole });
  return { name, passed, failed, skipped, took: result.took };
}

/** What no single test is to blame for: a hang, a crash, an import that fails, no test at all. Empty when all is well. */
function problemOfWhole(result: RunResult, lines: readonly ReportLine[], explained: boolean): string {
  if (result.timedOut) {
    const open = unfinished(lines);
    const where =
      open.length > 0 ? `unfinished: ${open.join(', ')}` : 'all tests ended, but something keeps it running';
    return `gave no end within ${seconds(result.took)}; ${where}\n${output(result)}`;
  }
  if (result.code !== 0 && !explained) return output(result);
  if (lines.every((line) => line.kind === 'start')) return `holds no test\n${output(result)}`;
  return '';
}

function unfinished(lines: readonly ReportLine[]): string[] {
  const ended = new Set(lines.filter((line) => line.kind !== 'start').map((line) => line.name));
  return lines.filter((line) => line.kind === 'start' && !ended.has(line.name)).map((line) => line.name);
}

/** What a child printed, at most its last 200 lines. */
function output(result: RunResult): string {
  const how = result.notFound ? `${result.command[0]} is not there` : `ended with ${result.code ?? result.signal}`;
  const all = `${result.stdout}\n${result.stderr}`.trim().split('\n');
  return [how, ...all.slice(-200)].join('\n').trim();
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** The line of one outcome and, under it, its failures in full. */
export function show(outcome: Outcome): string {
  const counts = [
    `${outcome.passed} passed`,
    ...(outcome.failed.length > 0 ? [`${outcome.failed.length} failed`] : []),
    ...(outcome.skipped.length > 0 ? [`${outcome.skipped.length} skipped`] : []),
  ];
  const mark = outcome.failed.length > 0 ? 'FAIL' : 'ok  ';
  const line = `${mark}  ${outcome.name.padEnd(44)} ${counts.join(', ')}  ${seconds(outcome.took)}`;
  const failures = outcome.failed.map(({ test, text }) => `      ${test}\n${indent(text)}`);
  return `${[line, ...failures].join('\n')}\n`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '          ');
}

export interface Summary {
  /** What could not run here and why, and what failed; several lines, or empty. */
  readonly text: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Skips for want of something on this machine. */
  readonly lacking: number;
}

export function summarise(outcomes: readonly Outcome[]): Summary {
  const skips = outcomes.flatMap(({ name, skipped }) => skipped.map(({ reason }) => ({ name, reason })));
  const lacking = skips.filter(({ reason }) => !reason.startsWith(NOT_APPLICABLE));
  const failing = outcomes.flatMap(({ name, failed }) => failed.map(({ test }) => `  ${name}: ${test}`));
  const parts = [
    ...block('This machine could not run:', byReason(lacking)),
    ...block('Left out on purpose:', byReason(skips.filter((skip) => !lacking.includes(skip)))),
    ...block('Failed:', failing),
  ];
  return {
    text: parts.join('\n'),
    passed: outcomes.reduce((sum, outcome) => sum + outcome.passed, 0),
    failed: failing.length,
    skipped: skips.length,
    lacking: lacking.length,
  };
}

function block(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function byReason(skips: readonly { readonly name: string; readonly reason: string }[]): string[] {
  return [...Map.groupBy(skips, ({ reason }) => reason)].map(([reason, same]) => {
    const files = [...new Set(same.map(({ name }) => name))].join(', ');
    return `  ${reason} (${same.length === 1 ? '1 test' : `${same.length} tests`} in ${files})`;
  });
}
