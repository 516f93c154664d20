/**
 * All batch systems: their options for the configuration, and how each is made. Adding one is one entry here.
 */
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Option, OptionValues } from '../lib/option.ts';
import type { Run } from '../lib/run.ts';
import type { Batch } from './batch.ts';
import { makeSlurm, slurmOptions, slurmSettings } from './slurm/slurm.ts';

export interface BatchParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly log: Log;
}

export interface BatchFamily {
  readonly options: readonly Option[];
  /** @param values of `options`, as the configuration loaded them */
  make(values: OptionValues, parts: BatchParts): Batch;
}

export const batchFamilies: Readonly<Record<string, BatchFamily>> = {
  slurm: {
    options: slurmOptions,
    make: (values, parts) => makeSlurm(slurmSettings(values), parts),
  },
};

/** Names that are right but not in this version: the configuration says so instead of "unknown". */
export const plannedFamilies: readonly string[] = ['torque', 'pbs', 'gridengine', 'script'];
