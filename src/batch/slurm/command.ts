/**
 * What goes wrong with a command of Slurm's, as a BatchError.
 */
import { BatchError, type BatchErrorKind } from '../../domain/errors.ts';
import { type RunResult, sayRun } from '../../lib/run.ts';

/** What a text on standard error means; the first that fits. */
const MEANINGS: readonly (readonly [BatchErrorKind, RegExp, string])[] = [
  [
    'missing',
    /command not found|sudo: \S+: command not found|env: .*No such file or directory|: not found$/im,
    'install the package slurm-client (Red Hat family: slurm) on the machine where the command runs',
  ],
  [
    'silent',
    /Could not establish a configuration source|failed to fetch config|Could not find slurm\.conf|Unable to (open|process) (slurm )?config/i,
    'no slurm.conf is found: put it to /etc/slurm/slurm.conf or set SLURM_CONF',
  ],
  [
    'silent',
    /Protocol authentication error|munge_encode|Munge encode failed|Munged communication|auth plugin/i,
    'is munged running here, with the same key as on the head node?',
  ],
  [
    'permission',
    /Permission denied \(|Host key verification failed/i,
    'ssh does not let the service in: check its key and known_hosts for the user the service runs as',
  ],
  [
    'permission',
    /Invalid user id|Access\/permission denied|Permission denied|Operation not permitted|Only .{1,40} may|a password is required|a terminal is required|not allowed to (execute|run)|not in the sudoers/i,
    '',
  ],
  ['no-queue', /Invalid partition/i, 'create the partition in slurm.conf or correct QUEUE_NAME'],
  [
    'silent',
    /Unable to contact slurm|Socket timed out|Connection (refused|timed out|reset|closed)|Zero Bytes were transmitted|standby mode|No route to host|Could not resolve hostname|Name or service not known|Transport endpoint|Slurm controller not responding|Resource temporarily unavailable/i,
    'is slurmctld running? try: scontrol ping',
  ],
];

/** The one line for /etc/sudoers.d that lets the service do what it does, and nothing else. */
export function sudoersLine(user = 'hybrid-cloud'): string {
  const commands = [
    '/usr/bin/scontrol -o show *',
    '/usr/bin/scontrol -o -d show node *',
    '/usr/bin/scontrol show config',
    '/usr/bin/scontrol --version',
    '/usr/bin/squeue --version',
    '/usr/bin/env SLURM_BITSTR_LEN\\=0 SLURM_TIME_FORMAT\\=%s squeue --noheader --all *',
    '/usr/bin/scontrol update NodeName\\=*',
    '/usr/bin/scontrol update JobId\\=*',
  ];
  return `${user} ALL=(root) NOPASSWD: ${commands.join(', ')}`;
}

/** @returns the error this result means, or null when the command did what it should */
export function failureOf(result: RunResult): BatchError | null {
  const complaint = complaintOf(result);
  if (result.code === 0 && !result.cut && !result.aborted && complaint === '') return null;
  const name = nameOf(result.command);
  const facts = {
    command: result.command.join(' ').slice(0, 500),
    code: result.code,
    stderr: result.stderr.slice(-500),
    took: Math.round(result.took),
  };
  const fail = (kind: BatchErrorKind, hint: string, message = sayRun(result)): BatchError =>
    new BatchError(kind, message, { hint, facts });
  if (result.notFound) return fail('missing', MEANINGS[0]?.[2] ?? '');
  if (result.timedOut)
    return fail('silent', 'is slurmctld running, and not overloaded? BATCH_TIMEOUT sets the time limit');
  if (result.aborted) return fail('silent', '');
  if (result.cut) return fail('garbled', '');
  // never standard output: a job name can say anything
  const text = complaint || result.stderr;
  for (const [kind, pattern, hint] of MEANINGS) {
    if (!pattern.test(text)) continue;
    const rule = `allow it in sudoers: "${sudoersLine()}", and set BATCH_RUN_PREFIX="sudo -n"; or run the service as SlurmUser`;
    return fail(kind, hint || rule, `${name}: ${lineOf(text, pattern)}`);
  }
  if (result.signal !== null || result.code === null || result.code === 255) return fail('silent', '');
  return result.code === 0 ? fail('garbled', '', `${name}: ${complaint}`) : fail('refused', '');
}

/** An error on standard error counts also when the command ended with 0: its answer is not complete. */
function complaintOf(result: RunResult): string {
  return result.stderr
    .split('\n')
    .filter((line) => /\b(error|fatal)\b/i.test(line) && !/^debug/i.test(line))
    .join('\n')
    .trim();
}

function lineOf(text: string, pattern: RegExp): string {
  const line = text.split('\n').find((one) => pattern.test(one)) ?? text;
  return line.trim().slice(0, 300);
}

function nameOf(command: readonly string[]): string {
  const at = command.findIndex((word) => /(^|\/)(scontrol|squeue)$/.test(word));
  const words = command.slice(at).filter((word) => !word.startsWith('-'));
  return at < 0 ? (command[0] ?? 'command') : words.slice(0, 2).join(' ');
}
