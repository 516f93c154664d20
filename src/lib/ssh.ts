/**
 * ssh: runs a shell script on another machine, with a key and a file of known host keys of our own and nothing from the
 * user's or the system's ssh configuration. The script travels over standard input: no value ever stands on a command
 * line, neither here nor there.
 */
import { connect } from 'node:net';
import type { Run, RunResult } from './run.ts';

export interface SshTarget {
  /** IPv4 or IPv6 address. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Private key file. */
  readonly keyFile: string;
  /** The host key found at the first contact is written here; a different one later is refused. */
  readonly knownHostsFile: string;
  /** The name the host key is kept under, so that it does not depend on address or port. */
  readonly alias: string;
}

/**
 * What became of a script:
 * - `ran`         it ran to its end: look at the exit status and the output
 * - `unreachable` no connection, or it was lost on the way: may be well in a moment
 * - `refused`     there is an ssh server, and it does not accept our key
 * - `other-key`   there is an ssh server with another host key than before
 * - `broken`      ssh itself is missing or does not understand us
 * - `stopped`     the signal was given
 */
export interface SshAnswer {
  readonly kind: 'ran' | 'unreachable' | 'refused' | 'other-key' | 'broken' | 'stopped';
  /** One line; empty for `ran`. */
  readonly text: string;
  readonly result: RunResult;
}

/**
 * Runs a POSIX shell script there. As root it is given to `sh`, as anybody else to `sudo -n sh`.
 * @param timeout ms for the whole, connection included
 */
export async function runScript(
  run: Run,
  target: SshTarget,
  script: string,
  timeout: number,
  signal?: AbortSignal,
): Promise<SshAnswer> {
  const result = await run(sshCommand(target), { stdin: script, timeout, signal });
  return { ...classify(result), result };
}

/** The ssh command line. Every option that the machine's own configuration could set is set here. */
export function sshCommand(target: SshTarget): readonly string[] {
  const options = {
    BatchMode: 'yes',
    ConnectTimeout: '5',
    ConnectionAttempts: '1',
    StrictHostKeyChecking: 'accept-new',
    UserKnownHostsFile: quoted(target.knownHostsFile),
    GlobalKnownHostsFile: '/dev/null',
    HostKeyAlias: target.alias,
    CheckHostIP: 'no',
    UpdateHostKeys: 'no',
    HashKnownHosts: 'no',
    IdentityFile: quoted(target.keyFile),
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    PreferredAuthentications: 'publickey',
    // A connection that dies silently is noticed within 15 s instead of hours.
    ServerAliveInterval: '5',
    ServerAliveCountMax: '3',
    ControlPath: 'none',
    LogLevel: 'ERROR',
  };
  return [
    'ssh',
    '-F',
    '/dev/null',
    '-T',
    '-a',
    '-x',
    ...Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
    '-p',
    String(target.port),
    '-l',
    target.user,
    '--',
    target.address,
    target.user === 'root' ? 'sh -s' : 'sudo -n sh -s',
  ];
}

/** Inside ssh's own option syntax: blanks would split the name, `%` would be expanded. */
function quoted(file: string): string {
  return `"${file.replaceAll('%', '%%')}"`;
}

/** ssh ends with 255 for its own trouble and else with the status of what it ran. */
function classify(result: RunResult): Omit<SshAnswer, 'result'> {
  if (result.notFound) return { kind: 'broken', text: 'ssh is not installed' };
  if (result.aborted) return { kind: 'stopped', text: 'stopped' };
  if (result.timedOut) return { kind: 'unreachable', text: `no answer within ${Math.round(result.took / 1000)} s` };
  if (result.code !== 255 && result.code !== null) return { kind: 'ran', text: '' };
  for (const [kind, pattern, text] of WORDS) {
    if (pattern.test(result.stderr)) return { kind, text: text ?? lastLine(result.stderr) };
  }
  return { kind: 'unreachable', text: lastLine(result.stderr) || 'the connection was lost' };
}

/** OpenSSH's own words, tried in this order: a changed host key is followed by others of them. */
const WORDS: readonly (readonly [SshAnswer['kind'], RegExp, string?])[] = [
  ['other-key', /HOST IDENTIFICATION HAS CHANGED|Host key verification failed/, 'its host key is another than before'],
  ['broken', /Bad configuration option|unsupported option|command-line(:| line)|illegal option|keyword .* extra arg/],
  ['refused', /Permission denied|Too many authentication failures|No supported authentication methods/],
];

function lastLine(output: string): string {
  const line = output.split('\n').findLast((text) => text.trim() !== '') ?? '';
  return line
    .trim()
    .replace(/^ssh: connect to host \S+ port \d+: /, '')
    .slice(0, 300);
}

/**
 * - `open`    something listens on the port
 * - `refused` a machine lives there that does not want us on this port (a refusal is an answer too)
 * - `silent`  no answer in time, or no way there
 * - `unasked` we were stopped or could not ask: it says nothing about the address
 */
export interface Knock {
  readonly kind: 'open' | 'refused' | 'silent' | 'unasked';
  /** One line for people, empty when open. */
  readonly text: string;
}

/** Tries one TCP connection and closes it. Never throws. */
export type KnockAt = (address: string, port: number, ms: number, signal?: AbortSignal) => Promise<Knock>;

export const knock: KnockAt = (address, port, ms, signal) =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve({ kind: 'unasked', text: 'stopped' });
    const socket = connect({ host: address, port, timeout: ms });
    const end = (kind: Knock['kind'], text: string) => {
      signal?.removeEventListener('abort', stop);
      socket.destroy();
      resolve({ kind, text });
    };
    const stop = () => end('unasked', 'stopped');
    signal?.addEventListener('abort', stop, { once: true });
    socket.once('timeout', () => end('silent', 'no answer'));
    socket.once('connect', () => end('open', ''));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const [kind, text] = MEANS[error.code ?? ''] ?? ['unasked', error.message];
      end(kind, text);
    });
  });

const MEANS: Readonly<Record<string, readonly [Knock['kind'], string]>> = {
  ECONNREFUSED: ['refused', 'Connection refused'],
  ECONNRESET: ['refused', 'Connection reset'],
  ETIMEDOUT: ['silent', 'no answer'],
  EHOSTUNREACH: ['silent', 'No route to host'],
  EHOSTDOWN: ['silent', 'Host is down'],
  ENETUNREACH: ['silent', 'Network is unreachable'],
};
