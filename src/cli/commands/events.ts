/**
 * `events`: the last ones, and with `--follow` those that come, over a restart of the service, too.
 */
import type { EventView } from '../../controller/view.ts';
import { ApiError } from '../../service/client.ts';
import { type Call, ofPool } from '../parts.ts';
import { renderEvents, widestSubject } from '../render/events.ts';
import { renderJson } from '../render/json.ts';

/** Seconds one request stays open, ms until a service that went away is tried again, events fetched at one time. */
const WAIT_S = 30;
const RETRY_MS = 2000;
const BATCH = 1000;

export async function events(call: Call): Promise<number> {
  const first = await fetchLast(call, Number(call.options.n ?? 20));
  if (call.options.follow !== true) {
    const none = first.length === 0 && !call.flags.json ? ['Nothing has happened yet.'] : null;
    await call.print(none ?? (call.flags.json ? [renderJson(first)] : renderEvents(first, call.screen())));
    return 0;
  }
  const print = printer(call);
  await print(first);
  return follow(call, first.at(-1)?.id ?? 0, print);
}

async function follow(
  call: Call,
  from: number,
  print: (events: readonly EventView[]) => Promise<void>,
): Promise<number> {
  const { clock, signal } = call.parts;
  let after = from;
  const stopped = () => signal?.aborted === true;
  let away = false;
  while (!stopped()) {
    try {
      if (away) after = await resume(call, after);
      const news = await call.client.get<EventView[]>(
        ofPool(call, `/events?limit=${BATCH}&after=${after}&wait=${away ? 0 : WAIT_S}`),
        {
          limit: (WAIT_S + 10) * 1000,
          signal,
        },
      );
      away = false;
      await print(news);
      after = news.at(-1)?.id ?? after;
      // A service that is stopping answers at once and empty: without this pause we would ask it as fast as we can.
      if (news.length === 0) await clock.sleep(100, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'refused') throw error;
      if (stopped()) break;
      if (!away) await call.complain(`${error.message} Waiting for it.`);
      away = true;
      await clock.sleep(RETRY_MS, signal);
    }
  }
  return 0;
}

/** After a restart with a new database the ids begin anew; the old place would wait for an id that is far away. */
async function resume(call: Call, after: number): Promise<number> {
  const newest = (await fetchLast(call, 1)).at(-1)?.id ?? 0;
  return newest < after ? 0 : after;
}

async function fetchLast(call: Call, n: number): Promise<EventView[]> {
  return call.client.get<EventView[]>(ofPool(call, `/events?limit=${n}`), { limit: 15_000 });
}

/** Lines keep their columns from one printing to the next. With `--json` one event per line, for programs that read on. */
function printer(call: Call): (events: readonly EventView[]) => Promise<void> {
  let wide = 6;
  return async (events) => {
    if (events.length === 0) return;
    wide = widestSubject(events, wide);
    await call.print(
      call.flags.json ? events.map((one) => renderJson(one, 0)) : renderEvents(events, call.screen(), wide),
    );
  };
}
