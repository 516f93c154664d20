/**
 * What Torque and PBS need to be told. The first two settings are those of every family that runs commands.
 */
import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Option, OptionValues } from '../../lib/option.ts';
import type { Run } from '../../lib/run.ts';
import { type CommandSettings, commandOptions, commandSettings } from '../command.ts';

export const pbsFamilyOptions: readonly Option[] = [
  ...commandOptions,
  {
    key: 'BATCH_NODE_MEMORY',
    schema: z
      .string()
      .regex(/^\d{1,9}$/, 'a number of MiB')
      .transform(Number),
    fallback: '0',
    about: 'MiB of memory of a node the batch system has not seen yet (0 = as the nodes it has seen)',
  },
];

export interface PbsFamilySettings extends CommandSettings {
  /** MiB; 0 = not told. */
  readonly nodeMemory: number;
}

export interface PbsFamilyParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly log: Log;
}

/** From the loaded values of `pbsFamilyOptions`. */
export function pbsFamilySettings(values: OptionValues): PbsFamilySettings {
  const memory = values.BATCH_NODE_MEMORY;
  return { ...commandSettings(values), nodeMemory: typeof memory === 'number' ? memory : 0 };
}
