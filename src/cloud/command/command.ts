/**
 * CLOUD=command: the site's own program is the cloud. `PROGRAM list|create|delete`, JSON on stdin and stdout, exit 0 on
 * success; on failure it exits non-zero and prints `{"error":{"kind":"capacity","message":"..."}}`.
 */
import { z } from 'zod';
import { CloudError, type CloudErrorKind } from '../../domain/errors.ts';
import { count } from '../../domain/words.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Option, OptionValues } from '../../lib/option.ts';
import { words } from '../../lib/quote.ts';
import { type Run, type RunResult, sayRun } from '../../lib/run.ts';
import type { Cloud, CreateOutcome, DeleteOutcome } from '../cloud.ts';
import { type ResultRecord, readError, readMachines, readObject, readResults } from './answers.ts';

export const commandOptions: readonly Option[] = [
  {
    key: 'CLOUD_COMMAND',
    schema: z.string().transform((line, context) => {
      try {
        const found = words(line);
        if (found.length > 0) return found;
        context.addIssue('a program, with its full path');
      } catch (error) {
        context.addIssue(`a program and its arguments (${error instanceof Error ? error.message : error})`);
      }
      return z.NEVER;
    }),
    required: true,
    about: "the site's own program that lists, creates and deletes machines; arguments may follow it",
  },
  {
    key: 'CLOUD_TIMEOUT',
    schema: z
      .string()
      .regex(/^\s*\d+(\.\d+)?\s*$/, 'a number of seconds')
      .transform((seconds) => Number(seconds) * 1000)
      .refine((ms) => ms > 0, 'a number of seconds above 0'),
    fallback: '60',
    about: 'seconds the program may take for one call',
  },
];

export interface CommandParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly log: Log;
  readonly pool: { readonly name: string };
}

const Values = z.object({ CLOUD_COMMAND: z.array(z.string()).min(1), CLOUD_TIMEOUT: z.number().positive() });

/**
 * @param values `CLOUD_COMMAND` as words, `CLOUD_TIMEOUT` in ms
 */
export function makeCommandCloud(values: OptionValues, parts: CommandParts): Cloud {
  const { CLOUD_COMMAND: program, CLOUD_TIMEOUT: timeout } = Values.parse(values);
  const pool = parts.pool.name;

  async function ask(verb: Verb, request: object, signal: AbortSignal | undefined) {
    if (signal?.aborted) throw new CloudError('temporary', `${verb} was not asked: we were told to stop`);
    const stdin = `${JSON.stringify({ pool, ...request })}\n`;
    const result = await parts.run([...program, verb], { stdin, timeout, signal });
    const answer = readAnswer(verb, result);
    if (result.stderr.trim() !== '') parts.log.debug(`${verb}: ${lastLine(result.stderr)}`);
    return answer;
  }

  async function list(signal?: AbortSignal) {
    return readMachines(await ask('list', {}, signal));
  }

  return {
    kind: 'command',

    async check(signal) {
      return `list answers: ${count((await list(signal)).length, 'machine', 'machines')}`;
    },

    list,

    async create(leases, signal) {
      if (leases.length === 0) return [];
      const hosts = leases.map(({ name, ip, lease }) => ({ hostname: name, ip, lease }));
      const results = readResults('create', await ask('create', { hosts }, signal));
      warnOfOthers('create', results, (result) => leases.some(({ name }) => name === result.hostname));
      return leases.map(({ name }): CreateOutcome => {
        const [result, ...more] = results.filter(({ hostname }) => hostname === name);
        if (result === undefined) return { host: name, id: null, error: unsaid('create', name) };
        if (more.length > 0) return { host: name, id: null, error: twice('create', name) };
        if (result.error !== null) return { host: name, id: result.id, error: result.error };
        return { host: name, id: result.id, error: result.id === null ? unsaid('create', name) : null };
      });
    },

    async delete(machines, signal) {
      if (machines.length === 0) return [];
      const asked = machines.map(({ id, host, ip }) => ({ id, hostname: host, ip }));
      const results = readResults('delete', await ask('delete', { machines: asked }, signal));
      warnOfOthers('delete', results, (result) => machines.some(({ id }) => id === result.id));
      return machines.map(({ id, host }): DeleteOutcome => {
        const [result, ...more] = results.filter((one) => one.id === id);
        if (result === undefined) return { host, error: unsaid('delete', `${host} (${id})`) };
        return { host, error: more.length > 0 ? twice('delete', `${host} (${id})`) : result.error };
      });
    },
  };

  function warnOfOthers(verb: Verb, results: readonly ResultRecord[], asked: (result: ResultRecord) => boolean): void {
    const other = results.find((result) => !asked(result));
    if (other) parts.log.warn(`${verb} answered for ${other.hostname ?? other.id ?? 'nobody'}, which was not asked`);
  }
}

type Verb = 'list' | 'create' | 'delete';

/**
 * What a run of the program means. A `list` that failed changed nothing (`temporary`); a `create` or `delete` that was
 * killed or cannot be understood may have happened (`ambiguous`), and taking it for a failure would make a second machine.
 */
function readAnswer(verb: Verb, result: RunResult): Readonly<Record<string, unknown>> {
  const facts = { command: result.command, code: result.code, took: result.took, stderr: result.stderr.slice(-500) };
  if (result.notFound) {
    const hint = 'set CLOUD_COMMAND to the full path of a program that exists; chmod +x; is its #! line right?';
    throw new CloudError('config', sayRun(result), { hint, facts });
  }
  const unsure: CloudErrorKind = verb === 'list' ? 'temporary' : 'ambiguous';
  if (result.timedOut || result.aborted || result.cut || result.code === null) {
    throw new CloudError(unsure, sayRun(result), { facts });
  }
  const answer = readObject(result.stdout);
  // An error is believed at exit 0 too: a shell script easily forgets its exit status.
  if (answer?.error != null) throw readError(answer.error);
  if (result.code !== 0) throw new CloudError('temporary', sayRun(result), { facts });
  if (answer === null) {
    const seen = JSON.stringify(result.stdout.trim().slice(0, 60));
    throw new CloudError(unsure, `${verb} printed something else than one JSON object: ${seen}`, { facts });
  }
  return answer;
}

function unsaid(verb: Verb, what: string): CloudError {
  return new CloudError('ambiguous', `${verb} did not say what became of ${what}`);
}

function twice(verb: Verb, what: string): CloudError {
  return new CloudError('ambiguous', `${verb} answered more than once for ${what}`);
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}
