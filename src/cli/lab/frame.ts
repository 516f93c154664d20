/** One picture of the live view: exactly as wide and high as the terminal allows, most important things first. */
import type { EventView, NodeView, StatusView } from '../../controller/view.ts';
import { renderEvents } from '../render/events.ts';
import { renderNodes } from '../render/nodes.ts';
import { paint, type Screen } from '../render/screen.ts';
import { renderStatus } from '../render/status.ts';
import { cut } from '../render/text.ts';

export interface Picture {
  /** Null when the service did not answer; `trouble` says why. */
  readonly status: StatusView | null;
  readonly nodes: readonly NodeView[];
  /** Oldest first. */
  readonly events: readonly EventView[];
  readonly trouble: string;
}

const TITLE = 'hybrid-cloud lab: real Slurm, real service, nodes in namespaces';
const FOOT = 'q or Ctrl-C ends it and cleans up';

/** @returns at most `rows` lines, none wider than the screen */
export function frame(picture: Picture, screen: Screen, rows: number): string[] {
  const head = [paint(screen, 'bold', cut(TITLE, screen.columns)), ''];
  const foot = ['', paint(screen, 'dim', cut(FOOT, screen.columns))];
  const room = Math.max(0, rows - head.length - foot.length);
  return [...head, ...body(picture, screen, room), ...foot].slice(0, rows);
}

function body(picture: Picture, screen: Screen, room: number): string[] {
  if (picture.status === null) return [cut(picture.trouble, screen.columns)].slice(0, room);
  const nodes = renderNodes(picture.nodes, screen);
  const top = [...nodes, '', ...renderStatus(picture.status, screen)];
  const left = room - top.length - 1;
  // The newest events, as many as there is room for; each may need several lines.
  const events = left > 0 ? renderEvents(picture.events, screen).slice(-left) : [];
  return [...top, ...(events.length > 0 ? ['', ...events] : [])].slice(0, room);
}
