/**
 * Torque, PBS and Grid Engine all have a `qstat`. Whose is it? For the refusal of the wrong one.
 */
import { BatchError } from '../../domain/errors.ts';
import { oneLine } from '../../lib/log.ts';

const OTHERS: readonly (readonly [RegExp, string, string])[] = [
  [/^pbs_version\s*=/im, 'PBS (OpenPBS or PBS Pro)', 'pbs'],
  [/^version:\s*\d/im, 'Torque', 'torque'],
  [
    /^(SGE|GE|UGE|AGE|Univa|Altair Grid Engine|OGS|Sun Grid|Son of)|\[-ext\]|SGE_ROOT|SGE_CELL/im,
    'Grid Engine',
    'gridengine',
  ],
  [/slurm/i, 'Slurm', 'slurm'],
];

/** @param text what the command said when asked for its version */
export function otherFamily(wanted: string, command: string, text: string): BatchError {
  const other = OTHERS.find(([pattern, name]) => name !== wanted && pattern.test(text));
  if (other) {
    return new BatchError('version', `${command} is a command of ${other[1]}, not of ${wanted}`, {
      hint: `set BATCH_SYSTEM=${other[2]}`,
    });
  }
  const line = oneLine(text).trim().slice(0, 80);
  return new BatchError('version', `${command} --version says ${JSON.stringify(line)}: this is not ${wanted}`, {
    hint: 'BATCH_SYSTEM names another batch system than the one installed here',
  });
}
