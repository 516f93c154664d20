/**
 * The group that may use the admin socket.
 */
import { type Run, sayRun } from '../lib/run.ts';

/** The number of a group, from wherever this machine knows its groups. @throws Error in one line */
export async function groupId(run: Run, name: string): Promise<number> {
  const result = await run(['getent', 'group', name], { timeout: 10_000 });
  const id = Number(/^[^:]*:[^:]*:(\d+):/.exec(result.stdout)?.[1] ?? Number.NaN);
  if (result.code === 0 && Number.isSafeInteger(id)) return id;
  throw new Error(`API_GROUP=${name}: ${result.code === 2 ? 'there is no such group' : sayRun(result)}`);
}
