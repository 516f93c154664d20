/** The commands that show one view of the service: fetched, printed as text or, with `--json`, as it is. */
import type { ExplainView, JobView, NodeView, PlanView, StatusView } from '../../controller/view.ts';
import { ApiError } from '../../service/client.ts';
import type { OfPools } from '../../service/pools.ts';
import { type Call, ofPool } from '../parts.ts';
import { renderJobs } from '../render/jobs.ts';
import { renderJson } from '../render/json.ts';
import { renderNodes } from '../render/nodes.ts';
import { renderExplain, renderPlan } from '../render/plan.ts';
import { paint, type Screen } from '../render/screen.ts';
import { renderStatus } from '../render/status.ts';
import { plain, wrap } from '../render/text.ts';

/** These are in memory: a service that needs longer is in trouble, and the user should hear it. */
const LIMIT = { limit: 15_000 };

export async function status(call: Call): Promise<number> {
  return each(
    call,
    await call.client.get<StatusView | OfPools<StatusView>>(ofPool(call, '/status'), LIMIT),
    renderStatus,
  );
}

export async function nodes(call: Call): Promise<number> {
  return each(
    call,
    await call.client.get<readonly NodeView[] | OfPools<readonly NodeView[]>>(ofPool(call, '/nodes'), LIMIT),
    renderNodes,
  );
}

export async function jobs(call: Call): Promise<number> {
  return each(
    call,
    await call.client.get<readonly JobView[] | OfPools<readonly JobView[]>>(ofPool(call, '/jobs'), LIMIT),
    renderJobs,
  );
}

/** Reads the scheduler and the cloud anew, so it may take as long as they do. */
export async function plan(call: Call): Promise<number> {
  return each(call, await call.client.get<PlanView | OfPools<PlanView>>(ofPool(call, '/plan')), renderPlan);
}

export async function explain(call: Call, name = ''): Promise<number> {
  return show(
    call,
    await call.client.get<ExplainView>(ofPool(call, `/explain/${encodeURIComponent(name)}`), LIMIT),
    renderExplain,
  );
}

/** Works without a service, too: then it only tells the version of this program. */
export async function version(call: Call): Promise<number> {
  const service = await running(call);
  return show(call, { version: call.parts.version, service }, (view) => {
    const mine = `hybrid-cloud ${view.version}`;
    if (view.service === null) return [plain(mine)];
    return [mine, `service      ${view.service.version} (pid ${view.service.pid})`].map(plain);
  });
}

async function running(call: Call): Promise<{ version: string; pid: number } | null> {
  try {
    return await call.client.get<{ version: string; pid: number }>('/version', { limit: 2000 });
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}

/** One pool's view, or those of several, one after another. A pool without an answer makes the command fail at its end. */
async function each<T extends object>(
  call: Call,
  given: T | OfPools<T>,
  render: (view: T, screen: Screen) => readonly string[],
): Promise<number> {
  if (!('pools' in given)) return show(call, given, render);
  const screen = call.screen();
  const lines = given.pools.flatMap(({ pool, view, error }, at) => [
    ...(at === 0 ? [] : ['']),
    paint(screen, 'bold', plain(`== pool ${pool}`)),
    ...(view === undefined ? wrap(plain(error ?? 'no answer'), screen.columns) : render(view, screen)),
  ]);
  await call.print(call.flags.json ? [renderJson(given)] : lines);
  return given.pools.some(({ view }) => view === undefined) ? 1 : 0;
}

async function show<T>(call: Call, view: T, render: (view: T, screen: Screen) => readonly string[]): Promise<number> {
  await call.print(call.flags.json ? [renderJson(view)] : render(view, call.screen()));
  return 0;
}
