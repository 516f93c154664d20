/**
 * What went wrong with a command of Torque's or PBS's. Exit codes do not tell it: `pbsnodes -o` of Torque ends with 0
 * when it was refused, `qstat -F json` of PBS prints a whole document when the server is down, and both use 1 for nearly
 * everything. So the text on standard error decides, and the exit code only whether there was trouble at all.
 */
import { BatchError, type BatchErrorKind } from '../../domain/errors.ts';
import { type RunResult, sayRun } from '../../lib/run.ts';

/** The line that gives the service its rights; the names stand for the user and machine its commands run as. */
export const RIGHTS_HINT =
  'on the server, as root: qmgr -c "set server operators += hybrid-cloud@HOST" (user and host as which the commands run)';

/** The line without which an ordinary user sees nobody else's jobs. */
export const VIEW_HINT = 'on the server, as root: qmgr -c "set server query_other_jobs = True"';

/** What a text on standard error means; the first that fits. */
const MEANINGS: readonly (readonly [BatchErrorKind, RegExp, string])[] = [
  [
    'missing',
    /command not found|env: .*No such file or directory|: not found$/im,
    'install the client commands (torque-client, openpbs-client) on the machine where the command runs',
  ],
  [
    'permission',
    /Permission denied \(|Host key verification failed/i,
    'ssh does not let the service in: check its key and known_hosts for the user the service runs as',
  ],
  [
    'silent',
    /could not connect to trqauthd|socket_connect_unix failed/i,
    'is trqauthd running on this machine? try: trqauthd',
  ],
  [
    'silent',
    /pbsconf error|pbs conf variables not found/i,
    'PBS does not find its configuration: /etc/pbs.conf, or PBS_CONF_FILE',
  ],
  [
    'silent',
    /cannot connect to (specified )?server|Unable to communicate with|Connection (refused|timed out|reset|closed)|No route to host|Network is unreachable|Unknown Host|can ?not resolve (name|specified)|Could not resolve hostname|Name or service not known|End of File|Premature end of message|Server shutting down|15033|errno=1(11|5010|5008|5137)/i,
    'is pbs_server running, and does PBS_DEFAULT or PBS_SERVER name its host? try: qstat -B',
  ],
  [
    'permission',
    /Unauthorized Request|error in permissions|PERM_OPorMGR|PERM_MANAGER|a password is required|a terminal is required|not allowed to (execute|run)|not in the sudoers|Operation not permitted|Permission denied/i,
    RIGHTS_HINT,
  ],
  ['no-queue', /Unknown queue/i, 'create the queue with qmgr, or correct QUEUE_NAME'],
];

/**
 * @param complaint a text that counts as failure even when the command ended with 0
 * @returns the error this result means, or null when the command did what it should
 */
export function failureOf(result: RunResult, complaint: RegExp | null = null): BatchError | null {
  const complains = complaint?.test(result.stderr) === true;
  if (result.code === 0 && !result.cut && !result.aborted && !result.timedOut && !complains) return null;
  const fail = (kind: BatchErrorKind, hint: string, message = sayRun(result)): BatchError =>
    new BatchError(kind, message, {
      hint,
      facts: {
        command: result.command.join(' ').slice(0, 500),
        code: result.code,
        stderr: result.stderr.slice(-500),
        took: Math.round(result.took),
      },
    });
  if (result.notFound) return fail('missing', MEANINGS[0]?.[2] ?? '');
  if (result.timedOut) return fail('silent', 'is the server overloaded? BATCH_TIMEOUT sets the time limit');
  if (result.aborted) return fail('silent', '');
  if (result.cut) return fail('garbled', '');
  // never standard output: a job name can say anything
  for (const [kind, pattern, hint] of MEANINGS) {
    if (pattern.test(result.stderr)) return fail(kind, hint, `${nameOf(result)}: ${lineOf(result.stderr, pattern)}`);
  }
  if (result.signal !== null || result.code === null || result.code === 255) return fail('silent', '');
  return fail('refused', '');
}

/** "Server has no node list": the list of nodes is empty, which is no failure although the command ends with 1. */
export function hasNoNodes(result: RunResult): boolean {
  return result.stdout.trim() === '' && /Server has no node list/i.test(result.stderr);
}

function nameOf(result: RunResult): string {
  return result.command.find((word) => /(^|\/)(qstat|pbsnodes|qmgr)$/.test(word)) ?? result.command[0] ?? 'command';
}

function lineOf(text: string, pattern: RegExp): string {
  const line = text.split('\n').find((one) => pattern.test(one)) ?? text;
  return line.trim().slice(0, 300);
}
