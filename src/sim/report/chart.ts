/**
 * Charts as SVG text: bars with parts, and areas over time. Colours are names of the page's style sheet, so that a
 * chart is as readable in the dark as in the light.
 */
export interface Bar {
  readonly name: string;
  /** Parts of the bar, from left to right. */
  readonly parts: readonly { readonly kind: string; readonly value: number; readonly says: string }[];
  /** Stands behind the bar. */
  readonly label: string;
}

const BAR = { width: 900, name: 260, label: 130, height: 26 };

/** Horizontal bars, all to one scale. */
export function bars(title: string, all: readonly Bar[]): string {
  const room = BAR.width - BAR.name - BAR.label;
  const most = Math.max(...all.map((bar) => sum(bar)), Number.MIN_VALUE);
  const rows = all.map((bar, at) => {
    const y = at * BAR.height;
    let x = BAR.name;
    const parts = bar.parts.map(({ kind, value, says }) => {
      const width = (value / most) * room;
      const rect = `<rect class="${kind}" x="${n(x)}" y="${y + 4}" width="${n(width)}" height="${BAR.height - 8}"><title>${safe(says)}</title></rect>`;
      x += width;
      return rect;
    });
    const middle = y + BAR.height / 2 + 4;
    return `<text x="${BAR.name - 8}" y="${middle}" text-anchor="end">${safe(bar.name)}</text>${parts.join('')}<text x="${n(x + 6)}" y="${middle}">${safe(bar.label)}</text>`;
  });
  return svg(title, BAR.width, all.length * BAR.height, rows.join('\n'));
}

export interface Layer {
  readonly kind: string;
  readonly values: readonly number[];
}

export interface TimeChart {
  readonly title: string;
  /** Epoch ms and ms: where the first value begins, and how long each is. */
  readonly start: number;
  readonly width: number;
  /** Areas on top of each other. */
  readonly layers: readonly Layer[];
  /** Top of the scale at least. */
  readonly atLeast: number;
  /** First and last moment that is shown, epoch ms: the same for charts that are compared. */
  readonly from: number;
  readonly to: number;
}

const TIME = { width: 900, left: 56, right: 8, top: 8, height: 150, bottom: 22 };

export function timeChart(chart: TimeChart): string {
  const { left, top, height } = TIME;
  const room = TIME.width - left - TIME.right;
  const length = Math.max(0, ...chart.layers.map((layer) => layer.values.length));
  const tops: number[][] = [];
  for (const { values } of chart.layers) {
    const under = tops.at(-1);
    tops.push(Array.from({ length }, (_, at) => (under?.[at] ?? 0) + (values[at] ?? 0)));
  }
  const most = nice(Math.max(chart.atLeast, ...(tops.at(-1) ?? [])));
  const x = (at: number) => left + (Math.max(0, at - chart.from) / (chart.to - chart.from)) * room;
  const y = (value: number) => top + height - (value / most) * height;
  const edge = (values: readonly number[]) =>
    values.flatMap((value, at) => [
      `${n(x(chart.start + at * chart.width))},${n(y(value))}`,
      `${n(Math.min(left + room, x(chart.start + (at + 1) * chart.width)))},${n(y(value))}`,
    ]);
  const areas = chart.layers.map((layer, at) => {
    const bottom = tops[at - 1] ?? new Array<number>(length).fill(0);
    return `<polygon class="${layer.kind}" points="${[...edge(tops[at] ?? []), ...edge(bottom).reverse()].join(' ')}"/>`;
  });
  const lines = [0, most / 2, most].map(
    (value) =>
      `<line class="grid" x1="${left}" x2="${left + room}" y1="${n(y(value))}" y2="${n(y(value))}"/><text x="${left - 6}" y="${n(y(value) + 4)}" text-anchor="end">${tick(value)}</text>`,
  );
  const dates = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = chart.from + part * (chart.to - chart.from);
    const anchor = part === 0 ? 'start' : part === 1 ? 'end' : 'middle';
    return `<text x="${n(left + part * room)}" y="${top + height + 16}" text-anchor="${anchor}">${moment(at, chart.to - chart.from)}</text>`;
  });
  return svg(chart.title, TIME.width, top + height + TIME.bottom, [...areas, ...lines, ...dates].join('\n'));
}

/** Text for HTML and SVG. */
export function safe(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function svg(title: string, width: number, height: number, inside: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${safe(title)}">\n${inside}\n</svg>`;
}

/** A round number not below this one. */
function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  for (const step of [1, 1.5, 2, 3, 4, 5, 6, 8, 10]) if (step * power >= value) return step * power;
  return 10 * power;
}

function tick(value: number): string {
  return value >= 10_000 ? `${n(value / 1000)}k` : n(value);
}

const DAY = 86_400_000;

/** A short stretch shows the time, a long one the day. */
function moment(at: number, stretch: number): string {
  const text = new Date(Math.round(at)).toISOString();
  return stretch > 3 * DAY ? text.slice(0, 10) : `${text.slice(5, 10)} ${text.slice(11, 16)}`;
}

function sum(bar: Bar): number {
  return bar.parts.reduce((all, part) => all + part.value, 0);
}

/** At most two digits behind the point: enough for a screen, and the file stays small. */
function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}
