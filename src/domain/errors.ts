/**
 * The errors that cross our ports. Each kind exists because it has a consequence of its own; an adapter translates its
 * vendor's words into one of these, and nothing behind the port reads a vendor's text.
 */

/** What a failed scheduler call means. */
export const BATCH_ERRORS = {
  missing: 'the command is not installed or not in PATH',
  version: 'the batch system answers, but is none we know',
  permission: 'the batch system refuses us',
  'no-queue': 'the queue does not exist',
  silent: 'no answer: stopped, unreachable or over its time limit',
  garbled: 'an answer that cannot be read',
  refused: 'the batch system understood and said no',
} as const;
export type BatchErrorKind = keyof typeof BATCH_ERRORS;

/**
 * What a failed cloud call means, and what follows (DESIGN 5):
 * - `auth` `quota` `config`: creation stops until something changes
 * - `capacity`: creation pauses, longer each time
 * - `throttled`: creation pauses briefly; never counts as lack of capacity
 * - `ip-in-use`: that host is quarantined
 * - `ambiguous`: it may have happened; the lease is kept and the next list tells
 * - `temporary`: tried again with the same lease
 */
export const CLOUD_ERRORS = [
  'auth',
  'quota',
  'capacity',
  'throttled',
  'ip-in-use',
  'config',
  'ambiguous',
  'temporary',
] as const;
export type CloudErrorKind = (typeof CLOUD_ERRORS)[number];

/** What a node failed to prove before it may join. */
export type PrepareErrorKind = 'unreachable' | 'refused' | 'identity' | 'mount' | 'timeout' | 'command';

/** Base of all of them: one line for a person, the kind for the program, a hint what to do, facts for the log. */
export class PortError<K extends string> extends Error {
  readonly kind: K;
  /** What a person can do about it; may be empty. */
  readonly hint: string;
  /** Command line, exit code, last output, duration... */
  readonly facts: Readonly<Record<string, unknown>>;
  constructor(
    kind: K,
    message: string,
    more: { hint?: string; facts?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.kind = kind;
    this.hint = more.hint ?? '';
    this.facts = more.facts ?? {};
  }
}

export class BatchError extends PortError<BatchErrorKind> {
  override readonly name = 'BatchError';
}

export class CloudError extends PortError<CloudErrorKind> {
  override readonly name = 'CloudError';
}

export class PrepareError extends PortError<PrepareErrorKind> {
  override readonly name = 'PrepareError';
}

/** One line for a person: message and, where there is one, what to do. */
export function sayError(error: unknown): string {
  if (error instanceof PortError && error.hint !== '') return `${error.message} (${error.hint})`;
  return error instanceof Error ? error.message : String(error);
}
