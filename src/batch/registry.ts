/**
 * All batch systems: their options for the configuration, and how each is made. Adding one is one entry here.
 */
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Option, OptionValues } from '../lib/option.ts';
import type { Run } from '../lib/run.ts';
import type { Batch } from './batch.ts';
import { commandOptions, commandSettings } from './command.ts';
import { makeGridEngine } from './gridengine/gridengine.ts';
import { makePbs, pbsOptions, pbsSettings } from './pbs/pbs.ts';
import { makeScriptBatch, scriptOptions, scriptSettings } from './script/script.ts';
import { makeSlurm } from './slurm/slurm.ts';
import { makeTorque, torqueOptions, torqueSettings } from './torque/torque.ts';

export { slurmConfLines } from './slurm/conf-lines.ts';

export interface BatchParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly log: Log;
  /** Where an adapter may keep what its batch system cannot tell; without it that is forgotten with the process. */
  readonly stateDir?: string;
}

export interface BatchFamily {
  readonly options: readonly Option[];
  /** @param values of `options`, as the configuration loaded them */
  make(values: OptionValues, parts: BatchParts): Batch;
}

export const batchFamilies: Readonly<Record<string, BatchFamily>> = {
  slurm: {
    options: commandOptions,
    make: (values, parts) => makeSlurm(commandSettings(values), parts),
  },
  gridengine: {
    options: commandOptions,
    make: (values, parts) => makeGridEngine(commandSettings(values), parts),
  },
  torque: {
    options: torqueOptions,
    make: (values, parts) => makeTorque(torqueSettings(values), parts),
  },
  pbs: {
    options: pbsOptions,
    make: (values, parts) => makePbs(pbsSettings(values), parts),
  },
  script: {
    options: scriptOptions,
    make: (values, parts) => makeScriptBatch(scriptSettings(values), parts),
  },
};

/** Names that are right but not in this version: the configuration says so instead of "unknown". */
export const plannedFamilies: readonly string[] = [];
