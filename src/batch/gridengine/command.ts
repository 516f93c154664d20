/**
 * What went wrong with a command of Grid Engine's. Exit codes do not tell it (`qconf -ah` ends with 0 when it was
 * denied, `qmod` with 1 for one bad name among good ones), so the text decides and the exit code only whether there was
 * trouble at all.
 */
import { BatchError, type BatchErrorKind } from '../../domain/errors.ts';
import { type RunResult, sayRun } from '../../lib/run.ts';

const MANAGER =
  'on the master host, as root: qconf -am USER (the user as whom the commands run); closing a host writes a note on it, which a manager may';
const ADMIN_HOST = 'on the master host, as root: qconf -ah HOST (the machine where the commands run)';

/** What a text means; the first that fits. */
const MEANINGS: readonly (readonly [BatchErrorKind, RegExp, string])[] = [
  [
    'missing',
    /command not found|env: .*No such file or directory|: not found$/im,
    'install the package gridengine-client on the machine where the command runs, or put its folder into PATH',
  ],
  [
    'permission',
    /Permission denied \(|Host key verification failed/i,
    'ssh does not let the service in: check its key and known_hosts for the user the service runs as',
  ],
  [
    'silent',
    /act_qmaster|SGE_ROOT|unable to read qmaster name|cell directory/i,
    'no cell is found here: set SGE_ROOT and SGE_CELL as in settings.sh',
  ],
  [
    'silent',
    /commlib error|(unable|can't|failed) to (send message to|contact|connect to|reach) qmaster|got (select|send|read) (error|timeout)|Connection (refused|timed out|reset|closed)|No route to host|Network is unreachable|endpoint is not unique|Could not resolve hostname|Name or service not known|receive(d)? (error|timeout)/i,
    'is sge_qmaster running? try: qhost',
  ],
  ['permission', /must be manager/i, MANAGER],
  ['permission', /(is|are) (no|not an?|neither an?) (admin|administrative|submit)/i, ADMIN_HOST],
  [
    'permission',
    /must be operator|no permission to modify|a password is required|a terminal is required|not allowed to (execute|run)|not in the sudoers|Operation not permitted|Permission denied/i,
    'on the master host, as root: qconf -ao USER and qconf -am USER (the user as whom the commands run)',
  ],
  ['no-queue', /No cluster queue or queue instance matches/i, 'create the queue with qconf -aq, or correct QUEUE_NAME'],
];

/** @returns the error this result means, or null when the command did what it should */
export function failureOf(result: RunResult): BatchError | null {
  const text = textOf(result);
  const denied = /^(denied|error|critical):/im.test(text);
  if (result.code === 0 && !result.cut && !result.aborted && !result.timedOut && !denied) return null;
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
  if (result.timedOut) {
    return fail('silent', 'is sge_qmaster running, and not overloaded? BATCH_TIMEOUT sets the time limit');
  }
  if (result.aborted) return fail('silent', '');
  if (result.cut) return fail('garbled', '');
  for (const [kind, pattern, hint] of MEANINGS) {
    if (pattern.test(text)) return fail(kind, hint, `${nameOf(result)}: ${lineOf(text, pattern)}`);
  }
  if (result.signal !== null || result.code === null || result.code === 255) return fail('silent', '');
  return fail('refused', '', text.trim() === '' ? sayRun(result) : `${nameOf(result)}: ${lineOf(text, /\S/)}`);
}

/**
 * What the command said about itself. `qmod` says it on standard output, which holds nothing of users there; in the
 * output of the others a job name could say anything.
 */
function textOf(result: RunResult): string {
  return nameOf(result) === 'qmod' ? `${result.stderr}\n${result.stdout}` : result.stderr;
}

function nameOf(result: RunResult): string {
  const word = result.command.find((one) => /(^|\/)(qstat|qhost|qconf|qmod|qalter)$/.test(one));
  return word?.split('/').at(-1) ?? result.command[0] ?? 'command';
}

function lineOf(text: string, pattern: RegExp): string {
  const line = text.split('\n').find((one) => pattern.test(one)) ?? text;
  return line.trim().slice(0, 300);
}
