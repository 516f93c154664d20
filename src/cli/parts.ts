/**
 * What the command line is handed: the terminal, the clock, the way to the service, and the commands that need the
 * whole program. It reads no environment and opens nothing by itself, so a test hands in its own.
 */
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import type { ApiClient } from '../service/client.ts';
import type { Screen } from './render/screen.ts';

/** The flags that every command understands. */
export interface Flags {
  /** `--config-dir`; undefined = not given. */
  readonly configDir: string | undefined;
  /** `--socket`; undefined = not given. */
  readonly socket: string | undefined;
  /** `--set KEY=VALUE`, keys in upper case; the last one of a key wins. */
  readonly set: Readonly<Record<string, string>>;
  readonly json: boolean;
  /** Colours may be used: the terminal has them and `--no-color` was not given. */
  readonly color: boolean;
}

/** `live`: show it in the terminal until it is interrupted. */
export type LabFlags = Flags & {
  readonly mode: 'live' | 'once' | 'up' | 'down';
  /** The batch system of the lab; undefined: what LAB_BATCH says, or Slurm. */
  readonly batch: string | undefined;
  /** Nothing real but the service. */
  readonly simulated: boolean;
};
/** What `render` prints, for pasting into other files. */
export const RENDERED = ['add-host', 'hosts', 'slurm-conf'] as const;
export type RenderFlags = Flags & {
  readonly what: (typeof RENDERED)[number];
  /** What one machine of the cloud has, for slurm.conf; undefined = not given. */
  readonly cpus: number | undefined;
  /** MiB */
  readonly memory: number | undefined;
};
/** `standby`: take over from another head node instead of refusing to start beside it. */
export type RunFlags = Flags & { readonly standby: boolean };
/** `what`: names of tests to run; empty = all. */
export type TestFlags = Flags & { readonly what: readonly string[] };

/** Each ends with the exit code: 0 ok, 1 failed, 2 wrong use or configuration, 3 another service took over. */
export interface Actions {
  run(flags: RunFlags): Promise<number>;
  check(flags: Flags): Promise<number>;
  render(flags: RenderFlags): Promise<number>;
  lab(flags: LabFlags): Promise<number>;
  test(flags: TestFlags): Promise<number>;
}

export interface CliParts {
  readonly in: Readable;
  readonly out: Writable;
  readonly err: Writable;
  /** Output is a terminal and NO_COLOR is not set. */
  readonly color: boolean;
  /** Width of the terminal; Infinity when the output is a pipe or a file: nothing is cut or wrapped then. */
  readonly columns: number;
  /** Input and output are a terminal: a question can be asked. */
  readonly isTerminal: boolean;
  readonly clock: Clock;
  /** Aborts when the user interrupts: `events --follow` ends then, with 0. */
  readonly signal?: AbortSignal | undefined;
  readonly version: string;
  readonly defaults: {
    /** Socket of the environment (API_SOCKET), if any. */
    readonly socket?: string | undefined;
    /** Who asks (SUDO_USER or the user's name): stands beside what was asked, in the events. */
    readonly user?: string | undefined;
  };
  openClient(socketPath: string): ApiClient;
  readonly actions: Actions;
}

/** What a command works with. */
export interface Call {
  readonly parts: CliParts;
  readonly flags: Flags;
  readonly socket: string;
  readonly client: ApiClient;
  /** Options of this command alone: `yes`, `follow`... */
  readonly options: Readonly<Record<string, unknown>>;
  /** As wide as the terminal, at this moment. */
  screen(): Screen;
  /** Prints lines; returns when they are written, so that the process may end. */
  print(lines: readonly string[]): Promise<void>;
  /** One line to the error output, made harmless. */
  complain(text: string): Promise<void>;
}

/** What is sent as asker; nothing when the name would be refused. */
export function asker(parts: CliParts): { by?: string } {
  const user = parts.defaults.user ?? '';
  return /^[A-Za-z0-9_][A-Za-z0-9._@\\-]{0,63}$/.test(user) ? { by: user } : {};
}

/** The path of a call with the pool that `--pool` names; without it the call is about all of them. */
export function ofPool(call: Call, path: string): string {
  const { pool } = call.options;
  if (typeof pool !== 'string') return path;
  return `${path}${path.includes('?') ? '&' : '?'}pool=${encodeURIComponent(pool)}`;
}
