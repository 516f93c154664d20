/**
 * tell: a line in the job's context, which its owner sees in `qstat -j`. Contexts hold variables of everybody's; ours has
 * its own name.
 */
import { BatchError } from '../../domain/errors.ts';
import { MARK } from '../batch.ts';
import type { Ask } from '../command.ts';
import { failureOf } from './command.ts';
import { NOTE } from './note.ts';

/** @throws BatchError; whoever calls may ignore it */
export async function tellOwner(ask: Ask, job: string, text: string, signal?: AbortSignal): Promise<void> {
  // a record of array tasks is `31.4-10:1`: the array itself carries the context
  const number = /^(\d+)(\.|$)/.exec(job)?.[1];
  if (number === undefined) throw new BatchError('refused', `${JSON.stringify(job.slice(0, 40))} is no job id`);
  const line = `${MARK} ${text}`
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .replaceAll(',', ';')
    .replaceAll(/[=\\"'<]/g, ' ');
  const result = await ask(['qalter', '-ac', `${NOTE}=${line.trim().slice(0, 200)}`, number], signal);
  const failure = failureOf(result);
  if (failure) throw failure;
}
