/**
 * tell: a line in the job's AdminComment, which its owner sees in `scontrol show job`, `squeue -O AdminComment` and
 * site portals. Not the Comment: that belongs to the user, and scripts read it. A comment an administrator or a plugin
 * of the site wrote is left alone, so the job is read first.
 */
import { BatchError } from '../../domain/errors.ts';
import { oneLine } from '../../lib/log.ts';
import { MARK } from '../batch.ts';
import type { Ask } from '../command.ts';
import { failureOf } from './command.ts';

/** @throws BatchError; whoever calls may ignore it */
export async function tellOwner(ask: Ask, job: string, text: string, signal?: AbortSignal): Promise<void> {
  // a record of waiting array tasks is `18_[4-9%2]`: the array itself carries the comment
  const id = /^(\d+)_\[/.exec(job)?.[1] ?? job;
  if (!/^\d+([_+]\d+)?$/.test(id)) throw new BatchError('refused', `${JSON.stringify(job.slice(0, 40))} is no job id`);
  const shown = await ask(['scontrol', '-o', 'show', 'job', id], signal);
  const failure = failureOf(shown);
  if (failure) throw failure;
  const comments = [...shown.stdout.matchAll(/\sAdminComment=(\S*)/g)].map((match) => match[1] ?? '');
  if (comments.some((comment) => comment !== '' && comment !== '(null)' && !comment.startsWith(MARK))) return;
  const line = `${MARK} ${oneLine(text).trim()}`.slice(0, 250);
  const result = await ask(['scontrol', 'update', `JobId=${id}`, `AdminComment=${line}`], signal);
  const refused = failureOf(result);
  if (refused) throw refused;
}
