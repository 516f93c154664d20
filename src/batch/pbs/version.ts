/**
 * checkVersion: the commands exist, run, and are those of PBS, of a release whose output we read. Torque has commands
 * of the same names whose options mean other things, so it is refused by name.
 */
import { BatchError } from '../../domain/errors.ts';
import type { BatchVersion } from '../batch.ts';
import type { AskFamily } from '../pbs-family/adds-up.ts';
import { failureOf } from '../pbs-family/failure.ts';
import { otherFamily } from '../pbs-family/which.ts';

/** Tried on a real server: 23.06.06; read for from 19 on by the sources. PBS Pro counts 2020, OpenPBS 20. */
const OLDEST = 19;
const NEWEST = 23;

/** @throws BatchError `missing`, `version`, `permission`, `silent` */
export async function askVersion(ask: AskFamily, signal?: AbortSignal): Promise<BatchVersion> {
  let found: BatchVersion | null = null;
  for (const name of ['qstat', 'pbsnodes']) {
    const result = await ask([name, '--version'], signal);
    const text = `${result.stdout}\n${result.stderr}`;
    const match = /^pbs_version\s*=\s*((\d+)(?:\.\S+)?)/im.exec(text);
    if (!match) {
      const failure = failureOf(result);
      if (failure && failure.kind !== 'refused') throw failure;
      throw otherFamily('PBS (OpenPBS or PBS Pro)', name, text);
    }
    const year = Number(match[2]) % 2000;
    if (year < OLDEST || year > NEWEST) {
      throw new BatchError('version', `${name} is of PBS ${match[1]}; PBS 19 to 23 are known (tested with 23.06.06)`);
    }
    found ??= { family: 'pbs', text: `PBS ${match[1]}` };
  }
  if (!found) throw new BatchError('version', 'no version');
  return found;
}
