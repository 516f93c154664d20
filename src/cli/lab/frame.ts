/** One picture of the live view: exactly as wide and high as the terminal allows, most important things first. */
import type { EventView, NodeView, StatusView } from '../../controller/view.ts';
import type { HostState } from '../../domain/lifecycle.ts';
import { count } from '../../domain/words.ts';
import { renderEvents } from '../render/events.ts';
import { paint, type Screen, type Style } from '../render/screen.ts';
import { renderStatus } from '../render/status.ts';
import { cut, pad, plain, width } from '../render/text.ts';
import { shortSince } from '../render/times.ts';

export interface Picture {
  /** Null when the service did not answer; `trouble` says why. */
  readonly status: StatusView | null;
  readonly nodes: readonly NodeView[];
  /** Oldest first. */
  readonly events: readonly EventView[];
  readonly trouble: string;
}

const FOOT = 'q or Ctrl-C ends it and cleans up';

/** @returns at most `rows` lines, none wider than the screen */
export function frame(picture: Picture, screen: Screen, rows: number, title = 'hybrid-cloud lab'): string[] {
  const head = [paint(screen, 'bold', cut(title, screen.columns)), ''];
  const foot = ['', paint(screen, 'dim', cut(FOOT, screen.columns))];
  const room = Math.max(0, rows - head.length - foot.length);
  return [...head, ...body(picture, screen, room), ...foot].slice(0, rows);
}

function body(picture: Picture, screen: Screen, room: number): string[] {
  if (picture.status === null) return [cut(picture.trouble, screen.columns)].slice(0, room);
  const top = [...hosts(picture.nodes, screen), '', ...renderStatus(picture.status, screen)];
  const left = room - top.length - 1;
  // The newest events, as many as there is room for; each may need several lines.
  const events = left > 0 ? renderEvents(picture.events, screen).slice(-left) : [];
  return [...top, ...(events.length > 0 ? ['', ...events] : [])].slice(0, room);
}

const STYLE: Readonly<Partial<Record<HostState, Style>>> = {
  ready: 'green',
  starting: 'cyan',
  preparing: 'cyan',
  joining: 'cyan',
  draining: 'yellow',
  stopping: 'yellow',
  quarantined: 'red',
};

/** One line per host, whatever its reason: `nodes` has room for whole sentences, a picture that must not jump has not. */
function hosts(nodes: readonly NodeView[], screen: Screen): string[] {
  const names = nodes.reduce((most, node) => Math.max(most, width(node.host)), 4);
  return nodes.map((node) => {
    const state = pad(node.state, 11);
    const jobs = node.batch?.jobs ?? [];
    const running = jobs.length === 0 ? '' : `${count(jobs.length, 'job', 'jobs')}: ${jobs.join(' ')}  `;
    const rest = `${pad(shortSince(node.since, screen.now), 7, 'right')}  ${running}${node.state === 'free' ? '' : node.reason}`;
    const room = screen.columns - names - state.length - 4;
    return `${pad(plain(node.host), names)}  ${paint(screen, STYLE[node.state] ?? 'dim', state)}  ${cut(plain(rest), room)}`.trimEnd();
  });
}
