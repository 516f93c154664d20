/**
 * run: the only place that starts child processes. Arguments are a list (no shell), every run has a time limit and a
 * limit on its output, and a failure carries the same facts as a success.
 */
import { Socket } from 'node:net';
import { execa } from 'execa';
import { eachLine } from './lines.ts';

export interface RunOptions {
  /** Given to the child's standard input; nothing (closed) without. */
  readonly stdin?: string;
  /** Milliseconds until the child is killed (SIGTERM, then SIGKILL after 2 s). */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** The child's whole environment. Default: PATH, HOME, LANG=C.UTF-8, LC_ALL=C.UTF-8, TZ and nothing of ours. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The child writes straight to our own standard output and error; nothing is collected. */
  readonly inherit?: boolean;
  /** Bytes of output after which the child is killed; default 64 MiB. */
  readonly maxOutput?: number;
  /** Called with each line of standard output as it comes, without its line end: for showing the progress of long work. */
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  readonly command: readonly string[];
  /** Exit status; null when it never started or was killed. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds. */
  readonly took: number;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  /** The output limit was reached: stdout is cut and must not be believed. */
  readonly cut: boolean;
  /** The program does not exist or may not be started (ENOENT, EACCES). */
  readonly notFound: boolean;
}

/** How processes are started; tests hand in a function that answers from recordings. */
export type Run = (command: readonly string[], options: RunOptions) => Promise<RunResult>;

/** Runs `command[0]` with the rest as arguments. Never throws for what the child does: look at the result. */
export const run: Run = async (command, options) => {
  const [file, ...args] = command;
  if (file === undefined) throw new TypeError('run: empty command');
  const result = await execa(file, args, {
    reject: false,
    ...(options.stdin === undefined ? { stdin: 'ignore' as const } : { input: options.stdin }),
    ...(options.inherit === true ? { stdout: 'inherit' as const, stderr: 'inherit' as const } : {}),
    stripFinalNewline: false,
    ...(options.onLine === undefined ? {} : { stdout: ['pipe' as const, tell(options.onLine)] }),
    timeout: options.timeout,
    forceKillAfterDelay: 2000,
    maxBuffer: options.maxOutput ?? 64 * 1024 * 1024,
    extendEnv: false,
    env: options.env ?? childEnv(),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  return {
    command,
    code: result.exitCode ?? null,
    signal: result.signal ?? null,
    stdout: text(result.stdout),
    stderr: text(result.stderr),
    took: result.durationMs,
    timedOut: result.timedOut,
    aborted: result.isCanceled,
    cut: result.isMaxBuffer,
    notFound: result.code === 'ENOENT' || result.code === 'EACCES',
  };
};

/** How a long-lived child that is talked to in lines is started; tests hand in their own. */
export interface ConverseOptions {
  /** Each whole line of the child's standard output. */
  readonly onLine: (line: string) => void;
  /** Each line of its standard error, cut to 2000 characters. */
  readonly onErrorLine: (line: string) => void;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Conversation {
  /** One line to the child's standard input. Lost without an error when the child has ended: `closed` tells. */
  send(line: string): void;
  /** Closes its standard input, which asks it to end; after `grace` ms SIGTERM, 2 s later SIGKILL. */
  end(grace: number): void;
  /** Resolves when the child has ended and all its lines were told; never rejects. */
  readonly closed: Promise<RunResult>;
}

export type Converse = (command: readonly string[], options: ConverseOptions) => Conversation;

/** A line longer than this is no answer; characters. The child is killed rather than believed. */
const LONGEST_LINE = 16 * 1024 * 1024;

/** Starts `command[0]` and talks with it until one side ends. Never throws for what the child does. */
export const converse: Converse = (command, options) => {
  const [file, ...args] = command;
  if (file === undefined) throw new TypeError('converse: empty command');
  const ending = new AbortController();
  const child = execa(file, args, {
    reject: false,
    stdin: 'pipe',
    buffer: false,
    cancelSignal: ending.signal,
    forceKillAfterDelay: 2000,
    extendEnv: false,
    env: options.env ?? childEnv(),
  });
  const last: string[] = [];
  let cut = false;
  // Writing to a child that just ended is no error of ours.
  child.stdin.on('error', () => {});
  // A child that waits for our next line must not keep us alive; it ends with us.
  child.nodeChildProcess.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref();
  eachLine(child.stdout, LONGEST_LINE, options.onLine, () => {
    cut = true;
    ending.abort();
  });
  eachLine(child.stderr, 2000, (line) => {
    last.push(line);
    if (last.length > 20) last.shift();
    options.onErrorLine(line);
  });
  return {
    send: (line) => void (child.stdin.writable && child.stdin.write(`${line}\n`)),
    end(grace) {
      // Whoever waits for the end must live to see it.
      child.nodeChildProcess.ref();
      child.stdin.end();
      const late = AbortSignal.timeout(grace);
      late.addEventListener('abort', () => ending.abort(), { once: true });
    },
    closed: child.then((result) => ({
      command,
      code: result.exitCode ?? null,
      signal: result.signal ?? null,
      stdout: '',
      stderr: last.join('\n'),
      took: result.durationMs,
      timedOut: false,
      aborted: result.isCanceled && !cut,
      cut,
      notFound: result.code === 'ENOENT' || result.code === 'EACCES',
    })),
  };
};

/** Passes every line on as it is and tells it. */
function tell(onLine: (line: string) => void) {
  return {
    preserveNewlines: true,
    *transform(line: unknown) {
      onLine(String(line).replace(/\r?\n$/, ''));
      yield line;
    },
  };
}

/** The environment children get: enough to find programs, nothing that could hold a secret. */
let inherited: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};

/** Called once by main.ts, the only place that may read the process environment. */
export function inheritEnv(env: Readonly<Record<string, string | undefined>>, more: readonly string[] = []): void {
  const kept: Record<string, string> = { ...inherited };
  for (const key of ['PATH', 'HOME', 'TZ', 'USER', 'LOGNAME', ...more]) {
    const value = env[key];
    if (value !== undefined && value !== '') kept[key] = value;
  }
  inherited = kept;
}

function childEnv(): Record<string, string> {
  return { ...inherited, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' };
}

function text(output: unknown): string {
  return typeof output === 'string' ? output : '';
}

/** One line about a failed run: `scontrol update ... ended with 1: slurm_update error: Invalid user id`. */
export function sayRun(result: RunResult): string {
  const name = result.command.slice(0, 3).join(' ');
  if (result.notFound) return `${result.command[0]} is not there or may not be run`;
  if (result.timedOut) return `${name} gave no answer within ${Math.round(result.took / 1000)} s`;
  if (result.aborted) return `${name} was stopped`;
  if (result.cut) return `${name} printed more than can be believed`;
  const how = result.signal !== null ? `was killed by ${result.signal}` : `ended with ${result.code}`;
  const last = lastLine(result.stderr) || lastLine(result.stdout);
  return last === '' ? `${name} ${how}` : `${name} ${how}: ${last}`;
}

function lastLine(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  return (lines.findLast((line) => line !== '') ?? '').slice(0, 300);
}
