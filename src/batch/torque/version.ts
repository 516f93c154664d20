/**
 * checkVersion: the commands exist, run, and are Torque's, of a release whose output we read. OpenPBS has commands of the
 * same names whose options mean other things (`qstat -x` lists finished jobs there), so it is refused by name.
 */
import { BatchError } from '../../domain/errors.ts';
import type { BatchVersion } from '../batch.ts';
import type { AskFamily } from '../pbs-family/adds-up.ts';
import { failureOf } from '../pbs-family/failure.ts';
import { otherFamily } from '../pbs-family/which.ts';

/** Tried on a real server: 6.1.3; read for from 4.x on by their documented formats. */
const MAJORS: ReadonlySet<number> = new Set([4, 5, 6]);

/** @throws BatchError `missing`, `version`, `permission`, `silent` */
export async function askVersion(ask: AskFamily, signal?: AbortSignal): Promise<BatchVersion> {
  let found: BatchVersion | null = null;
  for (const name of ['qstat', 'pbsnodes']) {
    const result = await ask([name, '--version'], signal);
    const text = `${result.stdout}\n${result.stderr}`;
    const match = /^version:\s*((\d+)\.\d+[^\s,]*)/im.exec(text);
    if (!match) {
      const failure = failureOf(result);
      // a command that is not there, or is not let run, fails in its own way
      if (failure && failure.kind !== 'refused') throw failure;
      throw otherFamily('Torque', name, text);
    }
    if (!MAJORS.has(Number(match[2]))) {
      throw new BatchError(
        'version',
        `${name} is of Torque ${match[1]}; Torque 4, 5 and 6 are known (tested with 6.1.3)`,
      );
    }
    found ??= { family: 'torque', text: `Torque ${match[1]}` };
  }
  if (!found) throw new BatchError('version', 'no version');
  return found;
}
