/** `events`: local time, level, what it is about, one sentence. */
import type { EventView } from '../../controller/view.ts';
import type { Screen, Style } from './screen.ts';
import { table } from './table.ts';
import { pad, plain, width } from './text.ts';
import { stamp } from './times.ts';

const STYLE: Readonly<Record<EventView['level'], Style | undefined>> = {
  info: undefined,
  warn: 'yellow',
  error: 'red',
};
const COLUMNS = [{ head: '' }, { head: '' }, { head: '' }, { head: '' }] as const;

/**
 * @param subjectWidth columns for the subject, at least: whoever follows passes the widest so far, so that lines
 * printed later stand under those printed before
 */
export function renderEvents(events: readonly EventView[], screen: Screen, subjectWidth = 0): string[] {
  const wide = widestSubject(events, subjectWidth);
  const rows = events.map((event) => [
    { text: stamp(event.at), style: 'dim' as const },
    { text: pad(event.level, 5), style: STYLE[event.level] },
    pad(plain(event.subject ?? '-'), wide),
    { text: `${event.pool === undefined ? '' : `${event.pool}: `}${event.text}`, style: STYLE[event.level] },
  ]);
  return table(COLUMNS, rows, screen);
}

export function widestSubject(events: readonly EventView[], atLeast: number): number {
  return events.reduce((most, event) => Math.max(most, width(plain(event.subject ?? '-'))), atLeast);
}
