/** What the lab command is handed. It asks for the smallest thing, so that a test can hand in its own. */
import type { Writable } from 'node:stream';
import type { Clock } from '../../lib/clock.ts';
import type { Run } from '../../lib/run.ts';
import type { MachineLife } from './account.ts';
import type { LabBatch } from './batch.ts';
import type { LabPlace } from './place.ts';

/** The reading half of the service's client. */
export interface Api {
  get<T>(path: string, options?: { readonly limit?: number; readonly signal?: AbortSignal | undefined }): Promise<T>;
}

/** A terminal's keyboard. */
export interface Keys {
  on(event: 'data', listener: (chunk: Buffer | string) => void): unknown;
  off(event: 'data', listener: (chunk: Buffer | string) => void): unknown;
  setRawMode?(on: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
}

export interface LabParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly place: LabPlace;
  /** The project's folder: scripts are in `lab/` below it. */
  readonly root: string;
  /** The Node binary the service is started with. */
  readonly nodeBinary: string;
  /** What was asked for: report, JSON, live view. */
  readonly out: Writable;
  /** Progress, one line each. */
  readonly err: Writable;
  readonly color: boolean;
  /** Width of the terminal at this moment; Infinity for a pipe or a file. */
  columns(): number;
  /** Height of the terminal at this moment. */
  rows(): number;
  /** Input and output are a terminal: the live view may draw and read keys. */
  readonly isTerminal: boolean;
  readonly keys?: Keys | undefined;
  openClient(socketPath: string): Api;
  /** `lab --simulated`: batch system and cloud in this process, instead of the real ones in `place`. */
  readonly simulated?: { readonly batch: LabBatch; lives(): readonly MachineLife[] } | undefined;
  /** Aborts at Ctrl-C or SIGTERM: everything is taken down and the exit code is 130. */
  readonly signal: AbortSignal;
}

/** A step of the lab did not work; the message says which and why. */
export class LabError extends Error {
  override readonly name = 'LabError';
}

/** Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
