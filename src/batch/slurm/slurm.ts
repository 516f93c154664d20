/**
 * Slurm, through its own commands: `scontrol` for nodes, `squeue` for jobs. Works from Slurm 17.11 on.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Run } from '../../lib/run.ts';
import type { Batch } from '../batch.ts';
import { type CommandSettings, makeAsk } from '../command.ts';
import { type ChangeParts, join, leave } from './change.ts';
import { askNodes, nodeViews } from './look.ts';
import { makeStatus } from './status.ts';
import { tellOwner } from './tell.ts';
import { askMayChange, askMemoryCounts, askVersion } from './version.ts';

export interface SlurmParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeSlurm(settings: CommandSettings, { run, clock, log }: SlurmParts): Batch {
  const ask = makeAsk(run, settings);
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
      await askMayChange(ask, signal);
      memoryCounts = await askMemoryCounts(ask, signal);
      return { family: 'slurm', text: version.text };
    },
    getStatus,
    joinCluster: (hosts, signal) => join(parts, hosts, signal),
    leaveCluster: (hosts, reason, signal) => leave(parts, hosts, reason, signal),
    tell: (job, text, signal) => tellOwner(ask, job, text, signal),
  };
}
