/**
 * What the lab itself asks its batch system: it submits the sample as a user would, and afterwards reads what became of
 * it. The service is not asked for this: the report is a witness of its own.
 */
import { labGridEngine } from './gridengine.ts';
import type { LabParts } from './parts.ts';
import type { LabPlace } from './place.ts';
import type { SampleJob } from './sample.ts';
import { labSlurm } from './slurm.ts';

/** One job or array task. The states are Slurm's: `PENDING`, `RUNNING`, `COMPLETED`... Times are epoch ms. */
export interface LabJob {
  readonly id: string;
  /** Id of the array it belongs to, or its own. */
  readonly root: string;
  /** 0 when it is no array task; null for a record that stands for several waiting tasks. */
  readonly task: number | null;
  readonly state: string;
  readonly reason: string;
  readonly submittedAt: number;
  /** Null before it started. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly exit: string;
  readonly restarts: number;
  /** As Slurm writes them: `c[1-2]`; or `c1,c2`. */
  readonly nodeList: string;
}

export interface LabBatch {
  /** @returns its id. @throws LabError */
  submit(job: SampleJob, ids: ReadonlyMap<string, string>): Promise<string>;
  jobs(): Promise<LabJob[]>;
  cancel(ids: readonly string[]): Promise<void>;
}

/** What a person types to use the lab by hand. */
export interface ByHand {
  /** `Slurm` */
  readonly name: string;
  /** A line for the shell the service runs in, and for any other. */
  readonly prepare: string;
  readonly submit: string;
}

export function labBatch({ run, place, clock, simulated }: LabParts): LabBatch {
  if (simulated !== undefined) return simulated.batch;
  return place.batch === 'gridengine' ? labGridEngine(run, place, clock) : labSlurm(run, place);
}

export function byHand(place: LabPlace): ByHand {
  const work = 'hostname; cat marker; sleep 10';
  if (place.batch === 'gridengine') {
    const quiet = `-q cloud -wd ${place.sharedOnNodes} -j y -o results/`;
    return {
      name: 'Grid Engine',
      prepare: `. ${place.gridEngine}/env`,
      submit: `echo '${work}' | ${place.gridEngine}/head qsub ${quiet}`,
    };
  }
  return {
    name: 'Slurm',
    prepare: `export SLURM_CONF=${place.slurmConf}`,
    submit: `sbatch --partition=cloud --chdir=${place.sharedOnNodes} --wrap '${work}'`,
  };
}
