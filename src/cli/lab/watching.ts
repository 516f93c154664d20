/** What the service says while the sample runs: moves of hosts, events, and its word on each waiting job. */
import type { EventView, JobView, NodeView } from '../../controller/view.ts';
import type { Api, LabParts } from './parts.ts';
import { type Move, observe } from './timeline.ts';

export interface Watched {
  readonly moves: Move[];
  readonly events: EventView[];
  readonly verdicts: Map<string, { kind: string; because: string }>;
  /** One look at the service; one that fails is said once and does not matter: the next one will tell. */
  look(): Promise<void>;
}

/** @param ids of the sample jobs, by name */
export function watching(
  parts: LabParts,
  api: Api,
  ids: ReadonlyMap<string, string>,
  say: (text: string) => void,
): Watched {
  const moves: Move[] = [];
  const events: EventView[] = [];
  const verdicts = new Map<string, { kind: string; because: string }>();
  let complained = '';
  return {
    moves,
    events,
    verdicts,
    async look() {
      try {
        const after = events.at(-1)?.id ?? 0;
        const limit = { limit: 5000, signal: parts.signal };
        const [nodes, jobs, news] = await Promise.all([
          api.get<NodeView[]>('/nodes', limit),
          api.get<JobView[]>('/jobs', limit),
          api.get<EventView[]>(`/events?after=${after}&limit=500`, limit),
        ]);
        for (const move of observe(moves, nodes)) {
          if (move.state !== 'free') say(`${move.host} ${move.state}: ${move.reason}`);
        }
        events.push(...news);
        for (const [name, id] of ids) {
          const verdict = jobs.find((job) => job.id === id)?.verdict;
          if (verdict) verdicts.set(name, { kind: verdict.kind, because: verdict.because });
        }
      } catch (error) {
        const text = (error as Error).message;
        if (text !== complained && !parts.signal.aborted) say(text);
        complained = text;
      }
    },
  };
}
