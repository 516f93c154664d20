/**
 * The lab as a show: bursts of small jobs, and the service's own view of them drawn anew every second. When the output
 * is no terminal: plain lines as things happen.
 */
import type { EventView, NodeView, StatusView } from '../../controller/view.ts';
import { byHand, labBatch } from './batch.ts';
import { frame, type Picture } from './frame.ts';
import { type Api, Interrupted, type LabParts } from './parts.ts';
import { burstJobs } from './sample.ts';

const LOOK_MS = 1000;
/** Longer than the lab's cleanup time, so that now and then all nodes go. */
const BURST_MS = [40_000, 15_000, 75_000];
const EVENTS = 50;

const ENTER = '\u001b[?1049h\u001b[?25l'; // another screen, no cursor
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_REST = '\u001b[J';

/** @returns 0 after `q`. @throws Interrupted after Ctrl-C */
export async function live(parts: LabParts, say: (text: string) => void): Promise<number> {
  const quit = new AbortController();
  const stop = AbortSignal.any([quit.signal, parts.signal]);
  const terminal = parts.isTerminal && parts.keys !== undefined;
  const forget = terminal ? listen(parts, quit) : () => {};
  const showing = terminal ? draw(parts, stop) : tell(parts, say, stop);
  try {
    await Promise.all([showing, bursts(parts, terminal ? () => {} : say, stop)]);
  } finally {
    quit.abort();
    await showing.catch(() => {});
    forget();
  }
  if (parts.signal.aborted || quit.signal.reason === 'ctrl-c') throw new Interrupted();
  return 0;
}

/** A raw terminal sends Ctrl-C as a character instead of a signal. */
function listen(parts: LabParts, quit: AbortController): () => void {
  const { keys, out } = parts;
  const press = (chunk: Buffer | string) => {
    const text = String(chunk);
    if (text.includes('\u0003')) quit.abort('ctrl-c');
    else if (/q/i.test(text)) quit.abort('q');
  };
  out.write(ENTER);
  keys?.setRawMode?.(true);
  keys?.on('data', press);
  keys?.resume();
  return () => {
    keys?.off('data', press);
    keys?.setRawMode?.(false);
    keys?.pause();
    out.write(LEAVE);
  };
}

async function bursts(parts: LabParts, say: (text: string) => void, stop: AbortSignal): Promise<void> {
  const batch = labBatch(parts);
  for (let round = 0; !stop.aborted; round++) {
    const jobs = burstJobs(round).filter((job) => job.nodes <= parts.place.hosts);
    for (const job of jobs) await batch.submit(job, new Map());
    say(`submitted ${jobs.map((job) => `${job.name} (${job.asks})`).join(', ')}`);
    await parts.clock.sleep(BURST_MS[round % BURST_MS.length] ?? LOOK_MS, stop);
  }
}

async function draw(parts: LabParts, stop: AbortSignal): Promise<void> {
  const api = parts.openClient(parts.place.socket);
  while (!stop.aborted) {
    const picture = await look(api, stop);
    const screen = { columns: parts.columns(), color: parts.color, now: parts.clock.now() };
    const lines = frame(picture, screen, parts.rows(), titleOf(parts));
    if (!stop.aborted) parts.out.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\n')}${CLEAR_REST}`);
    await parts.clock.sleep(LOOK_MS, stop);
  }
}

function titleOf({ place, simulated }: LabParts): string {
  return simulated === undefined
    ? `hybrid-cloud lab: real ${byHand(place).name}, real service, nodes in namespaces`
    : `hybrid-cloud lab, simulated: real service, the rest is made up; --socket ${place.socket}`;
}

/** One failed look is shown as what it is; the next one may succeed. */
async function look(api: Api, signal: AbortSignal): Promise<Picture> {
  const limit = { limit: 5000, signal };
  try {
    const [status, nodes, events] = await Promise.all([
      api.get<StatusView>('/status', limit),
      api.get<NodeView[]>('/nodes', limit),
      api.get<EventView[]>(`/events?limit=${EVENTS}`, limit),
    ]);
    return { status, nodes, events, trouble: '' };
  } catch (error) {
    return { status: null, nodes: [], events: [], trouble: (error as Error).message };
  }
}

async function tell(parts: LabParts, say: (text: string) => void, stop: AbortSignal): Promise<void> {
  const api = parts.openClient(parts.place.socket);
  let after = 0;
  let summary = '';
  while (!stop.aborted) {
    try {
      const limit = { limit: 5000, signal: stop };
      const events = await api.get<EventView[]>(`/events?after=${after}&limit=500`, limit);
      const status = await api.get<StatusView>('/status', limit);
      for (const event of events) say(event.subject === null ? event.text : `${event.subject}: ${event.text}`);
      after = events.at(-1)?.id ?? after;
      if (status.summary !== summary) say(status.summary);
      summary = status.summary;
    } catch (error) {
      if (!stop.aborted) say((error as Error).message);
    }
    await parts.clock.sleep(LOOK_MS, stop);
  }
}
