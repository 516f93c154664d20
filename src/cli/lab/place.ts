/**
 * Where one lab is. Its parameters are the environment variables LAB_* that `lab/up.sh` explains; the scripts check
 * them, this only needs to know the same places.
 */
import { join } from 'node:path';

const NAMES = [
  'LAB_NAME',
  'LAB_BATCH',
  'LAB_CLOUD',
  'IMAGE_CACHE',
  'LAB_DIR',
  'LAB_NET',
  'LAB_HOSTS',
  'LAB_CPUS',
  'LAB_BOOT_TIME',
  'LAB_PORT_BASE',
  'LAB_SLURMD_TIMEOUT',
  'LAB_JOB_SUBMIT',
  'LAB_SLURM_EXTRA',
];

/** The batch systems a lab can have. */
export const LAB_BATCHES = ['slurm', 'gridengine'] as const;
export type LabBatchName = (typeof LAB_BATCHES)[number];

/** How the service gets its nodes: a program of the lab, or the specification's VCP SDK. */
export type LabCloudName = 'command' | 'vcp';

export interface LabPlace {
  readonly dir: string;
  readonly batch: LabBatchName;
  readonly cloud: LabCloudName;
  readonly hosts: number;
  readonly cpus: number;
  /** Seconds. */
  readonly bootTime: number;
  /** `LAB_NAME=t1`...: what was set, for the scripts. */
  readonly variables: readonly string[];
  readonly slurmConf: string;
  /** The folder of the Grid Engine cell. */
  readonly gridEngine: string;
  readonly configDir: string;
  readonly socket: string;
  /** The on-premises file server's directory, on this machine. */
  readonly shared: string;
  /** The same, where nodes mount it. */
  readonly sharedOnNodes: string;
  /** The cloud's own account of its machines. */
  readonly account: string;
  readonly serviceLog: string;
  /** The VC controller's folder (vcp): what it knows, and every call it had. */
  readonly controller: string;
  /** Every container that was run (vcp), one command line each. */
  readonly containers: string;
}

/** @param env the process environment, handed in by main */
export function labPlace(env: Readonly<Record<string, string | undefined>>): LabPlace {
  const name = env.LAB_NAME || 'lab';
  const cloud = env.LAB_CLOUD === 'vcp' ? 'vcp' : 'command';
  const dir = env.LAB_DIR || (name === 'lab' ? '/var/tmp/hybrid-cloud-lab' : `/var/tmp/hybrid-cloud-${name}`);
  return {
    dir,
    batch: LAB_BATCHES.find((one) => one === env.LAB_BATCH) ?? 'slurm',
    cloud,
    hosts: Number(env.LAB_HOSTS || 4),
    cpus: Number(env.LAB_CPUS || 2),
    bootTime: Number(env.LAB_BOOT_TIME || 5),
    variables: NAMES.flatMap((key) => (env[key] ? [`${key}=${env[key]}`] : [])),
    slurmConf: join(dir, 'slurm.conf'),
    gridEngine: join(dir, 'gridengine'),
    configDir: join(dir, 'config'),
    socket: join(dir, 'run/api.sock'),
    shared: join(dir, 'export'),
    sharedOnNodes: cloud === 'vcp' ? '/mnt' : join(dir, 'node/shared'),
    account: join(dir, 'log/cloud.log'),
    serviceLog: join(dir, 'log/service.log'),
    controller: join(dir, 'vcp/controller'),
    containers: join(dir, 'log/docker.log'),
  };
}
