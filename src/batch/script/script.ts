/**
 * Any batch system a site can describe: a shell file with the four Base script functions of the specification,
 * `get_status`, `join_cluster NODE`, `leave_cluster NODE [REASON]` and `check_version`. QUEUE_NAME is in their environment,
 * and HOST_NAMES with the names of the pool's hosts.
 *
 * The specification's own functions work as they are: they count jobs, and say nothing of nodes. Then nobody knows
 * which node works, so as long as one job of the queue runs, none is taken away (see memory.ts). A get_status that
 * prints JSON tells more, and is treated like any other batch system.
 */
import { join as joinPath } from 'node:path';
import { z } from 'zod';
import { BatchError } from '../../domain/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import { type Log, oneLine } from '../../lib/log.ts';
import type { Option, OptionValues } from '../../lib/option.ts';
import type { Run } from '../../lib/run.ts';
import type { Batch } from '../batch.ts';
import { type CommandSettings, commandOptions, commandSettings, makeAsk } from '../command.ts';
import { readAnswer } from './answer.ts';
import { type ChangeParts, join, type Look, leave, PLAIN } from './change.ts';
import { lastLine, makeScript } from './driver.ts';
import { makeGateMemory } from './memory.ts';
import { toStatus } from './status.ts';

export const scriptOptions: readonly Option[] = [
  ...commandOptions,
  {
    key: 'BATCH_SCRIPT',
    schema: z.string().regex(/^\/./, 'the whole path of a file: /etc/hybrid-cloud/functions.sh'),
    required: true,
    about: 'shell file with get_status, join_cluster, leave_cluster and check_version, for BATCH_SYSTEM=script',
  },
];

export interface ScriptSettings extends CommandSettings {
  readonly file: string;
}

export interface ScriptParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly log: Log;
  /** Where it is kept which hosts are closed; without it that is forgotten with the process. */
  readonly stateDir?: string | undefined;
}

/** From the loaded values of `scriptOptions`. */
export function scriptSettings(values: OptionValues): ScriptSettings {
  return { ...commandSettings(values), file: String(values.BATCH_SCRIPT ?? '') };
}

export function makeScriptBatch(settings: ScriptSettings, { run, clock, log, stateDir }: ScriptParts): Batch {
  const seconds = Math.ceil(settings.timeout / 1000);
  // our own limit is only for what the limit inside does not end
  const ask = makeAsk(run, { ...settings, timeout: settings.timeout + 5000 });
  const script = makeScript(ask, settings.file, seconds);
  const memory = makeGateMemory(stateDir === undefined ? null : joinPath(stateDir, 'batch-script.json'), clock, log);
  /** joinCluster and leaveCluster are not told the queue; it is the one that was read. */
  let last = '';
  let known: readonly string[] = [];

  const env = (queue = last): Readonly<Record<string, string>> => ({
    QUEUE_NAME: queue,
    HOST_NAMES: known.filter((host) => PLAIN.test(host)).join(' '),
  });

  async function look(hosts: readonly string[], signal?: AbortSignal, queue = last): Promise<Look> {
    const start = clock.monotonic();
    const answer = readAnswer(await script.call('get_status', [], env(queue), signal));
    const blind = answer.kind === 'counts' || answer.nodes === null;
    const running =
      answer.kind === 'counts' ? answer.running : answer.jobs.filter((job) => job.state === 'running').length;
    if (blind) memory.counted(running + (answer.kind === 'counts' ? 0 : answer.broken.length));
    return { ...toStatus(answer, hosts, memory, clock), took: clock.monotonic() - start, blind };
  }

  const changing: ChangeParts = {
    memory,
    look,
    call: (name, words, signal) => script.call(name, words, env(), signal),
  };
  return {
    family: 'script',

    async checkVersion(signal) {
      await script.checkFunctions(signal);
      const { code, output, stderr } = await script.call('check_version', [], env(), signal);
      const text = oneLine(lastLine(output) || lastLine(stderr));
      if (code !== 0) {
        throw new BatchError(
          'version',
          `check_version of ${settings.file} ended with ${code}${text === '' ? '' : `: ${text}`}`,
        );
      }
      return { family: 'script', text: text === '' ? `functions of ${settings.file}` : text };
    },

    async getStatus(queue, hosts, signal) {
      if (!PLAIN.test(queue))
        throw new BatchError('no-queue', `${JSON.stringify(queue)} cannot be the name of a queue`);
      known = hosts;
      const { blind: _, ...status } = await look(hosts, signal, queue);
      last = queue;
      return status;
    },

    joinCluster: (hosts, signal) => join(changing, hosts, signal),
    leaveCluster: (hosts, reason, signal) => leave(changing, hosts, reason, signal),
  };
}
