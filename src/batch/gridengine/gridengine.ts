/**
 * Grid Engine, through its own commands: `qstat` and `qhost` to read, `qmod` and `qconf` to open and close hosts.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Run } from '../../lib/run.ts';
import type { Batch } from '../batch.ts';
import { type CommandSettings, makeAsk } from '../command.ts';
import { type ChangeParts, join, leave } from './change.ts';
import { makeVoidNotes } from './hosts.ts';
import { makeStatus } from './status.ts';
import { tellOwner } from './tell.ts';
import { askVersion } from './version.ts';

export interface GridEngineParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeGridEngine(settings: CommandSettings, { run, clock }: GridEngineParts): Batch {
  const ask = makeAsk(run, settings);
  const parts: ChangeParts = { ask, voids: makeVoidNotes() };
  return {
    family: 'gridengine',
    async checkVersion(signal) {
      return { family: 'gridengine', text: await askVersion(ask, signal) };
    },
    getStatus: makeStatus({ ...parts, clock }),
    joinCluster: (hosts, signal) => join(parts, hosts, signal),
    leaveCluster: (hosts, reason, signal) => leave(parts, hosts, reason, signal),
    tell: (job, text, signal) => tellOwner(ask, job, text, signal),
  };
}
