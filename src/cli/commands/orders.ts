/** The commands that tell the service something: one line of answer. */
import type { Answer } from '../../controller/view.ts';
import { asker, type Call, ofPool } from '../parts.ts';
import { plain } from '../render/text.ts';

/** A submit hook waits for this: rather look a few seconds later by itself than delay a user's sbatch. */
const POKE_LIMIT_MS = 2000;
const LIMIT_MS = 30_000;

export async function hold(call: Call, host = ''): Promise<number> {
  return order(call, `/hold/${encodeURIComponent(host)}`, asker(call.parts));
}

export async function release(call: Call, host?: string): Promise<number> {
  return order(call, '/release', { ...asker(call.parts), ...(host === undefined ? {} : { host }) });
}

export async function drain(call: Call, host = ''): Promise<number> {
  return order(call, `/drain/${encodeURIComponent(host)}`, asker(call.parts));
}

export async function poke(call: Call): Promise<number> {
  return order(call, '/poke', {}, POKE_LIMIT_MS);
}

/** A refusal arrives as an error of the client. */
export async function order(call: Call, path: string, body: unknown, limit = LIMIT_MS): Promise<number> {
  const answer = await call.client.post<Answer>(ofPool(call, path), body, { limit });
  await call.print([plain(answer.text)]);
  return 0;
}
