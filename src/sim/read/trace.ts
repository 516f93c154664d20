/**
 * What is read from an accounting log, in one form for all formats.
 */

/** One job that ran. Times in ms. */
export interface TraceJob {
  readonly id: string;
  /** When it was submitted or, where the log tells, when it became eligible; epoch ms. */
  readonly submit: number;
  /** How long it ran. */
  readonly run: number;
  /** The limit it asked for; null = not told or unlimited. */
  readonly limit: number | null;
  /** Hosts it had, at least; 1 when the log tells only processors. */
  readonly nodes: number;
  /** CPUs of the whole job. */
  readonly cpus: number;
  /** MiB of the whole job; 0 = not told. */
  readonly memoryMiB: number;
  /** Partition or queue; empty = not told. */
  readonly queue: string;
}

/** Where a reader of one format puts what it finds. */
export interface Sink {
  job(job: TraceJob): void;
  /** A record that was understood and has no place in a replay: why, in a few words. Counted. */
  leaveOut(why: string): void;
  /** The log's own word on the machine it comes from. */
  machine(nodes: number, cpus: number): void;
}

/** A record that cannot be understood. The message says why; whoever reads the file knows the line. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/** Reads one line. @throws Unreadable */
export type LineReader = (line: string) => void;

export interface Trace {
  /** In the order of submission. */
  readonly jobs: readonly TraceJob[];
  readonly formats: readonly string[];
  /** The largest machine a header speaks of, or null. */
  readonly machine: { readonly nodes: number; readonly cpus: number } | null;
  /** Records understood and left out, by reason. */
  readonly leftOut: ReadonlyMap<string, number>;
  /** Records that could not be read. */
  readonly unreadable: number;
  /** The first of them: file, line and why. */
  readonly examples: readonly string[];
}
