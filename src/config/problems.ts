/**
 * What is wrong with a configuration, in a form that a person can act on: file, line, key, what is wrong, what to
 * write. The loader collects every problem before it gives up, so nobody mends a file one error at a time.
 */
import { oneLine } from '../lib/log.ts';

export interface Problem {
  /** Path of the file, or `environment`, or `command line`. */
  readonly file: string;
  /** From 1; null when no line is to blame (a key that is missing, a value from the environment). */
  readonly line: number | null;
  /** From 1, in characters. */
  readonly column?: number;
  readonly key?: string;
  /** Never holds the value of a secret. */
  readonly message: string;
  /** What to do; may be empty. */
  readonly hint: string;
}

/** Problems stop the start; notices are told and nothing else. */
export interface Findings {
  readonly problems: Problem[];
  readonly notices: Problem[];
}

/** `/etc/hybrid-cloud/env:7: POLL_INTERVAL: "five" is not a number of seconds (write e.g. POLL_INTERVAL=5)` */
export function sayProblem(problem: Problem): string {
  const { file, line, column, key, message, hint } = problem;
  const place = line === null ? file : column === undefined ? `${file}:${line}` : `${file}:${line}:${column}`;
  const subject = key === undefined || message.startsWith(`${key} `) ? '' : `${key}: `;
  // A file may hold escape sequences; a terminal must not act on them.
  return oneLine(`${place}: ${subject}${message}${hint === '' ? '' : ` (${hint})`}`);
}

/** The configuration cannot be used. Its message is all problems, one line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map(sayProblem).join('\n'));
    this.problems = problems;
  }
  /** One line per problem. */
  say(): readonly string[] {
    return this.problems.map(sayProblem);
  }
}

/** Replaces secret values that slipped into a text (a schema of an adapter may repeat what it was given). */
export function withoutSecrets(problem: Problem, secrets: readonly string[]): Problem {
  const clean = (text: string) => secrets.reduce((all, secret) => all.replaceAll(secret, '(hidden)'), text);
  return { ...problem, message: clean(problem.message), hint: clean(problem.hint) };
}

/** A value as it is quoted in a message: short, on one line. */
export function quote(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return `"${short}"`;
}
