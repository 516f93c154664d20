/**
 * checkVersion: the two commands exist, run, and are Slurm's of a release we know; whether we may change nodes; and what
 * else has to be known of the cluster to understand its jobs.
 */
import { BatchError } from '../../domain/errors.ts';
import type { Ask } from '../command.ts';
import { failureOf } from './command.ts';

export interface SlurmVersion {
  /** As printed: `slurm-wlm 22.05.8`. */
  readonly text: string;
  readonly year: number;
  readonly month: number;
}

/** The oldest release whose formats we read: Ubuntu 18.04 has it. */
const OLDEST = 1711;

/**
 * Neither command asks slurmctld for its version, but from 20.02 on both need a slurm.conf even for that.
 * @throws BatchError `missing`, `version`, `permission`, `silent`
 */
export async function askVersion(ask: Ask, signal?: AbortSignal): Promise<SlurmVersion> {
  let found: SlurmVersion | null = null;
  for (const name of ['scontrol', 'squeue']) {
    const result = await ask([name, '--version'], signal);
    const version = readVersion(result.stdout);
    const failure = failureOf(result);
    if (failure && !version) throw failure;
    if (!version) {
      const line = result.stdout.trim().split('\n')[0] ?? '';
      throw new BatchError(
        'version',
        `${name} --version says ${JSON.stringify(line.slice(0, 80))}: this is not Slurm`,
        {
          hint: 'BATCH_SYSTEM names another batch system than the one installed here',
        },
      );
    }
    if (version.year * 100 + version.month < OLDEST) {
      throw new BatchError('version', `${name} is ${version.text}; Slurm 17.11 or later is needed`);
    }
    found = version;
  }
  if (!found) throw new BatchError('version', 'no version');
  return found;
}

/** `slurm 17.11.2`, `slurm-wlm 22.05.8`, `slurm 25.05.0-0rc1` */
export function readVersion(text: string): SlurmVersion | null {
  const match = /^slurm\S* (\d{2})\.(\d{2})\S*$/m.exec(text);
  return match ? { text: match[0], year: Number(match[1]), month: Number(match[2]) } : null;
}

/**
 * Is memory handed out like CPUs? Then a job that names no memory gets all of its nodes (with DefMemPerNode and
 * DefMemPerCPU unset), and two of them never share one. Null when slurmctld does not tell.
 */
export async function askMemoryCounts(ask: Ask, signal?: AbortSignal): Promise<boolean | null> {
  const result = await ask(['scontrol', 'show', 'config'], signal);
  const value = /^SelectTypeParameters\s*=\s*(\S+)/m.exec(result.stdout)?.[1];
  return result.code === 0 && value !== undefined ? /MEMORY/i.test(value) : null;
}

/** No site has a node of this name; what its change is refused with tells whether we may change any. */
const NOBODY = 'hybrid-cloud-may-we';

/**
 * May we change the state of nodes? slurmctld asks who we are before it looks for the node (`_slurm_rpc_update_node`; seen
 * with 22.05.8), so a node that does not exist tells, and nothing is changed.
 * @throws BatchError `permission` with the rule for sudoers; `silent`, `missing`
 */
export async function askMayChange(ask: Ask, signal?: AbortSignal): Promise<void> {
  const result = await ask(['scontrol', 'update', `NodeName=${NOBODY}`, 'State=RESUME'], signal);
  if (/Invalid node name/i.test(result.stderr)) return;
  const failure = failureOf(result);
  // Another no than these two says nothing about rights; the first real change will say what it is.
  if (failure !== null && failure.kind !== 'refused') throw failure;
}
