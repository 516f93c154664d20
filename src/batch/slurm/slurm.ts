/**
 * Slurm, through its own commands: `scontrol` for nodes, `squeue` for jobs. Works from Slurm 17.11 on.
 */
import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Option, OptionValues } from '../../lib/option.ts';
import type { Run } from '../../lib/run.ts';
import type { Batch } from '../batch.ts';
import { type ChangeParts, join, leave } from './change.ts';
import { makeAsk, splitWords } from './command.ts';
import { askNodes, nodeViews } from './look.ts';
import { makeStatus } from './status.ts';
import { tellOwner } from './tell.ts';
import { askMemoryCounts, askVersion } from './version.ts';

export const slurmOptions: readonly Option[] = [
  {
    key: 'BATCH_RUN_PREFIX',
    schema: z.string().transform((text, context) => {
      try {
        return splitWords(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: `words of a command, but there is ${(error as Error).message}` });
        return z.NEVER;
      }
    }),
    fallback: '',
    about: 'put in front of every command of the batch system: "ssh slurm-master", "sudo -n"',
  },
  {
    key: 'BATCH_TIMEOUT',
    schema: z
      .string()
      .regex(/^\d+(\.\d+)?$/, 'a number of seconds')
      .transform(Number)
      .refine((seconds) => seconds >= 1 && seconds <= 600, 'a number of seconds from 1 to 600'),
    fallback: '30',
    about: 'seconds until a command of the batch system that does not answer is given up',
  },
];

export interface SlurmSettings {
  /** Words in front of every command. */
  readonly prefix: readonly string[];
  /** ms */
  readonly timeout: number;
}

/** From the loaded values of `slurmOptions`. */
export function slurmSettings(values: OptionValues): SlurmSettings {
  const prefix = values.BATCH_RUN_PREFIX;
  const timeout = values.BATCH_TIMEOUT;
  return {
    prefix: Array.isArray(prefix) ? prefix.map(String) : [],
    timeout: (typeof timeout === 'number' ? timeout : 30) * 1000,
  };
}

export interface SlurmParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeSlurm(settings: SlurmSettings, { run, clock, log }: SlurmParts): Batch {
  const ask = makeAsk(run, settings.prefix, settings.timeout);
  let memoryCounts: boolean | null = null;
  const parts: ChangeParts = {
    ask,
    look: async (hosts, signal) => nodeViews(await askNodes(ask, hosts, signal), hosts),
  };
  const getStatus = makeStatus({
    ask,
    clock,
    log,
    memoryCounts: async (signal) => {
      memoryCounts ??= await askMemoryCounts(ask, signal);
      return memoryCounts;
    },
  });
  return {
    family: 'slurm',
    async checkVersion(signal) {
      const version = await askVersion(ask, signal);
      memoryCounts = await askMemoryCounts(ask, signal);
      return { family: 'slurm', text: version.text };
    },
    getStatus,
    joinCluster: (hosts, signal) => join(parts, hosts, signal),
    leaveCluster: (hosts, reason, signal) => leave(parts, hosts, reason, signal),
    tell: (job, text, signal) => tellOwner(ask, job, text, signal),
  };
}
