/**
 * Calls one function of the site's shell file. A small bash program sources the file, calls the function with its
 * arguments as arguments (never as shell text), and puts behind its output what only the shell knows: how it ended and
 * what WAIT_COUNT and RUN_COUNT are.
 *
 * The specification's own get_status reads a failed `squeue` as "no jobs" (`squeue | awk | sort | uniq -c` ends with 0),
 * and then all nodes are deleted while jobs run. So the shell is made to tell every command that fails inside it,
 * wherever it stands: in a pipeline, in `$(...)` and in `<(...)`. What is no failure: a `grep` that finds nothing, a test
 * that is false, and whatever the file itself asks about (`if`, `||`).
 *
 * `timeout` and not only our own limit: it ends the commands the function has started, too.
 */
import { BatchError } from '../../domain/errors.ts';
import { randomId } from '../../lib/ids.ts';
import { type RunResult, sayRun } from '../../lib/run.ts';

const DRIVER = `
hc_mark=$1 hc_file=$2 hc_function=$3
shift 3
if [ ! -r "$hc_file" ]; then echo "$hc_mark nofile" >&2; exit 121; fi
. "$hc_file"
if [ "$hc_function" = functions ]; then
  for hc_name in get_status join_cluster leave_cluster check_version; do
    [ "$(type -t "$hc_name")" = function ] || echo "$hc_mark nofunction $hc_name" >&2
  done
  exit 0
fi
if [ "$(type -t "$hc_function")" != function ]; then echo "$hc_mark nofunction $hc_function" >&2; exit 122; fi
unset WAIT_COUNT RUN_COUNT
exec 9>&2
# x=$(...): what fails inside is told inside
hc_substitution='^[A-Za-z_][A-Za-z0-9_]*[+]?="?([$][(].*[)]|\`.*\`)"?$'
hc_trap() {
  hc_status=$1 hc_command=$2 hc_last=fine
  shift 2
  [ "$hc_command" != '"$hc_function" "$@"' ] || return 0
  [[ ! $hc_command =~ $hc_substitution ]] || return 0
  if [ $# -gt 1 ]; then
    hc_bad=
    case $1 in 0|141) ;; *) hc_bad=$1;; esac
    for hc_one in "$@"; do [ "$hc_one" -le 1 ] || [ "$hc_one" = 141 ] || hc_bad=$hc_one; done
    [ -n "$hc_bad" ] || return 0
    hc_status=$hc_bad hc_command="... | $hc_command"
  elif [ "$hc_status" = 1 ]; then
    case $hc_command in
      grep\\ *|egrep\\ *|fgrep\\ *|\\[*|test\\ *|\\(\\(*|let\\ *|expr\\ *|read|read\\ *|diff\\ *|cmp\\ *) return 0;;
    esac
  fi
  hc_last=bad
  printf '%s failed %s %s\\n' "$hc_mark" "$hc_status" "\${hc_command//[$'\\n']/ }" >&9
}
if [ "$hc_function" = get_status ]; then
  set -o pipefail -o errtrace
  trap 'hc_s=$? hc_p=("\${PIPESTATUS[@]}"); hc_trap "$hc_s" "$BASH_COMMAND" "\${hc_p[@]}"' ERR
fi
"$hc_function" "$@"
hc_code=$?
trap - ERR
# the last command was a grep that found nothing, or a test that was false
[ "$hc_code" != 1 ] || [ "\${hc_last-}" != fine ] || hc_code=0
case $(declare -f get_status) in *WAIT_COUNT*) hc_style=counts;; *) hc_style=text;; esac
printf '\\n%s %s %s\\n' "$hc_mark" "$hc_code" "$hc_style"
[ -z "\${WAIT_COUNT+set}" ] || printf 'wait=%s\\n' "$WAIT_COUNT"
[ -z "\${RUN_COUNT+set}" ] || printf 'run=%s\\n' "$RUN_COUNT"
`;

export type ScriptFunction = 'get_status' | 'join_cluster' | 'leave_cluster' | 'check_version';

export interface Called {
  /** Exit status of the function. */
  readonly code: number;
  /** What it printed. */
  readonly output: string;
  readonly stderr: string;
  /** `WAIT_COUNT` and `RUN_COUNT` as they are afterwards; undefined = not set. */
  readonly waitCount: string | undefined;
  readonly runCount: string | undefined;
  /** get_status speaks of WAIT_COUNT: a count that it did not set is 0 then. */
  readonly hasCounts: boolean;
  readonly took: number;
}

export type RunScript = (command: readonly string[], signal?: AbortSignal) => Promise<RunResult>;

export interface Script {
  /** @throws BatchError `missing`, `silent`, `garbled` */
  call(
    name: ScriptFunction,
    words: readonly string[],
    env: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<Called>;
  /** @throws BatchError `missing` unless the file can be read and defines all four functions */
  checkFunctions(signal?: AbortSignal): Promise<void>;
}

/** @param seconds until a function that does not end is given up */
export function makeScript(run: RunScript, file: string, seconds: number): Script {
  async function bash(
    name: string,
    words: readonly string[],
    env: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<{ result: RunResult; mark: string }> {
    const mark = randomId('hc_');
    const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    const limit = ['timeout', '-k', '2', String(seconds)];
    const result = await run(
      ['env', ...variables, ...limit, 'bash', '-c', DRIVER, 'bash', mark, file, name, ...words],
      signal,
    );
    throwTrouble(result, mark, file, name, seconds);
    return { result, mark };
  }

  return {
    async call(name, words, env, signal) {
      const { result, mark } = await bash(name, words, env, signal);
      const at = result.stdout.lastIndexOf(`\n${mark} `);
      const tail = at < 0 ? null : /^(\d+) (counts|text)$/m.exec(result.stdout.slice(at + mark.length + 2));
      if (!tail) {
        throw new BatchError('silent', `${name} of ${file} ended the shell itself (exit ${result.code})`, {
          hint: 'a function returns; it must not call exit',
          facts: { stderr: result.stderr.slice(-500) },
        });
      }
      const rest = result.stdout.slice(at);
      return {
        code: Number(tail[1]),
        output: result.stdout.slice(0, at),
        stderr: withoutMarks(result.stderr, mark),
        waitCount: /^wait=(.*)$/m.exec(rest)?.[1],
        runCount: /^run=(.*)$/m.exec(rest)?.[1],
        hasCounts: tail[2] === 'counts',
        took: result.took,
      };
    },
    async checkFunctions(signal) {
      await bash('functions', [], {}, signal);
    },
  };
}

function throwTrouble(result: RunResult, mark: string, file: string, name: string, seconds: number): void {
  const facts = {
    code: result.code,
    stderr: withoutMarks(result.stderr, mark).slice(-500),
    took: Math.round(result.took),
  };
  const missing = [...result.stderr.matchAll(new RegExp(`^${mark} nofunction (\\w+)$`, 'gm'))].map((match) => match[1]);
  if (result.stderr.includes(`${mark} nofile`)) {
    throw new BatchError('missing', `${file} cannot be read`, {
      hint: 'BATCH_SCRIPT names the file with the functions',
      facts,
    });
  }
  if (missing.length > 0) {
    const hint = 'a function with nothing to do is written: join_cluster() { :; }';
    const said = lastLine(withoutMarks(result.stderr, mark));
    const why = said === '' ? '' : `: ${said}`;
    throw new BatchError('missing', `${file} does not define ${missing.join(', ')}${why}`, { hint, facts });
  }
  if (result.notFound || (result.code === 127 && /bash|timeout/.test(result.stderr) && !result.stdout.includes(mark))) {
    throw new BatchError('missing', 'bash and timeout (coreutils) are needed to run BATCH_SCRIPT', { facts });
  }
  if (result.timedOut || result.code === 124 || result.code === 137) {
    throw new BatchError('silent', `${name} of ${file} did not end within ${seconds} s`, {
      hint: 'BATCH_TIMEOUT sets the time limit',
      facts,
    });
  }
  if (result.aborted || result.signal !== null || result.code === null)
    throw new BatchError('silent', sayRun(result), { facts });
  if (result.cut) throw new BatchError('garbled', sayRun(result), { facts });
  const failed = new RegExp(`^${mark} failed (\\d+) (.*)$`, 'm').exec(result.stderr);
  if (failed) {
    const said = lastLine(withoutMarks(result.stderr, mark));
    throw new BatchError(
      'silent',
      `${name}: "${(failed[2] ?? '').slice(0, 120)}" ended with ${failed[1]}${said === '' ? '' : `: ${said}`}`,
      {
        hint: `a command inside ${name} failed, so its answer is not believed; where a failure is none, write: COMMAND || true`,
        facts,
      },
    );
  }
}

export function lastLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return (lines.findLast((line) => line !== '') ?? '').slice(0, 300);
}

function withoutMarks(text: string, mark: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith(mark))
    .join('\n');
}
