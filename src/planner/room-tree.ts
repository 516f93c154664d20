/**
 * The rooms of a queue, searchable: "the first one from here on that can take this" in about log(hosts) steps. A tree
 * over the rooms in their order; each node of it knows the most CPUs and memory below it, and whether any room below is
 * still empty. Rooms only ever shrink while jobs are placed, so what did not fit once never fits later in the same plan.
 */
import { enough, fits, type Room, type Share, take } from './room.ts';

export interface RoomTree {
  /**
   * Takes room for one task: as many different rooms as it needs, or none at all. What is there or chosen already comes
   * before a further new host.
   * @returns the rooms, or null
   */
  place(need: Share, may: May): readonly Room[] | null;
  /** New hosts that may still be used. */
  readonly left: number;
  /** Places of new hosts that nobody has used and that such a task could, as many as it needs at most. */
  unused(need: Share): readonly number[];
  /** Is it a new host that nobody has used? */
  isNew(at: number): boolean;
  /** From now on only tasks that may use kept rooms find these. New hosts among them count as used. */
  keep(places: readonly number[]): void;
}

/** What a task may use besides the rooms of hosts that are there, on the way or chosen already. */
export interface May {
  /** New hosts. */
  readonly create: boolean;
  /** Rooms that are kept for another job. */
  readonly useKept: boolean;
}

/** How many new hosts of each cloud may be used. */
export interface Quotas {
  of(host: string): string;
  readonly left: Map<string, number>;
}

/**
 * @param mayCreate how many of the new hosts may be used at all: only used ones count, not those before them
 * @param quotas the same for each of several clouds
 */
export function roomTree(rooms: readonly Room[], mayCreate: number, quotas: Quotas | null = null): RoomTree {
  const open = makeTree(rooms, (room) => room.kind !== 'new');
  const fresh = makeTree(rooms, (room) => room.kind === 'new');
  const kept = makeTree(rooms, () => false);
  const isKept = new Set<number>();
  const used = new Set<number>();
  let left = mayCreate;
  let byName: ReadonlyMap<string, number> | null = null;
  const close = (cloud: string) => {
    for (const [i, room] of rooms.entries()) if (quotas?.of(room.host) === cloud) fresh.hide(i);
  };
  for (const [cloud, n] of quotas?.left ?? []) if (n <= 0) close(cloud);
  /** Shapes that did not fit, by what they were allowed. */
  const failed: readonly Share[][] = [[], [], [], []];

  function find(tree: Tree, need: Share, most: number): number[] {
    const found: number[] = [];
    for (let from = 0; found.length < most; ) {
      const next = tree.first(need, from);
      if (next < 0) break;
      found.push(next);
      from = next + 1;
    }
    return found;
  }

  const cloudOf = (at: number): string => quotas?.of((rooms[at] as Room).host) ?? '';

  /** New hosts besides those that are taken; of each cloud no more than its quota. */
  function findNew(need: Share, most: number, already: readonly number[] = NONE): number[] {
    if (quotas === null) return besides(fresh, need, most, already);
    const found: number[] = [];
    const taken = new Map<string, number>();
    for (const at of already) taken.set(cloudOf(at), (taken.get(cloudOf(at)) ?? 0) + 1);
    for (let from = 0; found.length < most; ) {
      const next = fresh.first(need, from);
      if (next < 0) break;
      from = next + 1;
      if (already.includes(next)) continue;
      const cloud = cloudOf(next);
      const n = (taken.get(cloud) ?? 0) + 1;
      if (n > (quotas.left.get(cloud) ?? 0)) continue;
      taken.set(cloud, n);
      found.push(next);
    }
    return found;
  }

  function use(created: readonly number[]): void {
    left -= created.length;
    for (const i of created) {
      fresh.hide(i);
      used.add(i);
      if (quotas === null) continue;
      const cloud = cloudOf(i);
      const rest = (quotas.left.get(cloud) ?? 0) - 1;
      quotas.left.set(cloud, rest);
      if (rest <= 0) close(cloud);
    }
  }

  function besides(tree: Tree, need: Share, most: number, already: readonly number[]): number[] {
    if (most <= 0) return [];
    const found = find(tree, need, most + already.length);
    return found.filter((at) => !already.includes(at)).slice(0, most);
  }

  function occupy(places: readonly number[], created: readonly number[], need: Share): readonly Room[] {
    use(created);
    return [...places, ...created].map((i) => {
      const room = rooms[i] as Room;
      take(room, need);
      (isKept.has(i) ? kept : open).show(i);
      return room;
    });
  }

  /** For a job that names hosts: these first, each as it may be used, and any others for the rest. */
  function placeNamed(need: Share, may: May): readonly Room[] | null {
    byName ??= new Map(rooms.map((room, i) => [room.host, i]));
    const there: number[] = [];
    const wanted: number[] = [];
    for (const name of need.named) {
      const at = byName.get(name) ?? -1;
      if (open.takes(at, need) || (may.useKept && kept.takes(at, need))) there.push(at);
      else if (may.create && fresh.takes(at, need)) wanted.push(at);
      else return null;
    }
    if (wanted.length > left || (quotas !== null && beyond(wanted))) return null;
    const more = need.nodes - there.length - wanted.length;
    const aside = may.useKept ? besides(kept, need, more, there) : [];
    const old = besides(open, need, more - aside.length, there);
    const wish = more - aside.length - old.length;
    const created = may.create ? findNew(need, Math.min(left - wanted.length, wish), wanted) : [];
    return created.length < wish ? null : occupy([...there, ...aside, ...old], [...wanted, ...created], need);
  }

  function beyond(wanted: readonly number[]): boolean {
    const clouds = Map.groupBy(wanted, cloudOf);
    return [...clouds].some(([cloud, of]) => of.length > (quotas?.left.get(cloud) ?? 0));
  }

  return {
    get left() {
      return left;
    },
    isNew: (at) => rooms[at]?.kind === 'new' && !used.has(at),
    unused: (need) => findNew(need, Math.min(left, need.nodes)),
    place(need, may) {
      if (need.named.length > 0) return placeNamed(need, may);
      const missed = failed[(may.create ? 2 : 0) + (may.useKept ? 1 : 0)] ?? [];
      if (missed.some((shape) => atLeast(need, shape))) return null;
      const aside = may.useKept && isKept.size > 0 ? find(kept, need, need.nodes) : [];
      const old = find(open, need, need.nodes - aside.length);
      const wish = need.nodes - aside.length - old.length;
      const created = may.create ? findNew(need, Math.min(left, wish)) : [];
      if (created.length < wish) {
        missed.push(need);
        return null;
      }
      return occupy([...aside, ...old], created, need);
    },
    keep(places) {
      for (const i of places) {
        if (this.isNew(i)) use([i]);
        else open.hide(i);
        isKept.add(i);
        kept.show(i);
      }
    },
  };
}

const NONE: readonly number[] = [];

interface Tree {
  /** @returns the index of the first room from `from` on that can take it, or -1 */
  first(need: Share, from: number): number;
  /** Is this room in the tree, and can it take it? */
  takes(i: number, need: Share): boolean;
  /** The room is in the tree from now on, as it is now. */
  show(i: number): void;
  hide(i: number): void;
}

function makeTree(rooms: readonly Room[], shown: (room: Room) => boolean): Tree {
  let width = 1;
  while (width < rooms.length) width *= 2;
  const cpus = new Float64Array(2 * width).fill(-1);
  const memory = new Float64Array(2 * width).fill(-1);
  const empty = new Uint8Array(2 * width);
  for (const [i, room] of rooms.entries()) if (shown(room)) leaf(i, room);
  for (let at = width - 1; at >= 1; at--) join(at);

  function leaf(i: number, room: Room): void {
    cpus[width + i] = room.cpus;
    memory[width + i] = room.memoryMiB;
    empty[width + i] = room.empty ? 1 : 0;
  }

  function join(at: number): void {
    cpus[at] = Math.max(cpus[2 * at] ?? -1, cpus[2 * at + 1] ?? -1);
    memory[at] = Math.max(memory[2 * at] ?? -1, memory[2 * at + 1] ?? -1);
    empty[at] = (empty[2 * at] ?? 0) | (empty[2 * at + 1] ?? 0);
  }

  function above(i: number): void {
    for (let at = (width + i) >> 1; at >= 1; at >>= 1) join(at);
  }

  /** Could a room below this node take it? Yes is only "perhaps": the most CPUs and the most memory may be two rooms. */
  function perhaps(at: number, need: Share): boolean {
    if ((cpus[at] ?? -1) < need.cpus) return false;
    if (need.exclusive && empty[at] === 0) return false;
    return need.memoryMiB === 0 || (memory[at] ?? -1) >= need.memoryMiB;
  }

  function search(need: Share, from: number, at: number, low: number, high: number): number {
    if (high <= from || !perhaps(at, need)) return -1;
    if (high - low === 1) {
      const room = rooms[low];
      return room !== undefined && fits(room, need) ? low : -1;
    }
    const middle = (low + high) >> 1;
    const left = search(need, from, 2 * at, low, middle);
    return left >= 0 ? left : search(need, from, 2 * at + 1, middle, high);
  }

  return {
    first: (need, from) => search(need, from, 1, 0, width),
    takes(i, need) {
      const room = rooms[i];
      return room !== undefined && (cpus[width + i] ?? -1) >= 0 && fits(room, need);
    },
    show(i) {
      const room = rooms[i];
      if (room !== undefined) leaf(i, room);
      above(i);
    },
    hide(i) {
      cpus[width + i] = -1;
      memory[width + i] = -1;
      empty[width + i] = 0;
      above(i);
    },
  };
}

/**
 * Does the one ask for as much as the other, or more, in every way? Unequal features cannot be compared; jobs that name
 * hosts are not asked about.
 */
function atLeast(need: Share, shape: Share): boolean {
  if (need.nodes < shape.nodes || need.cpus < shape.cpus || need.memoryMiB < shape.memoryMiB) return false;
  if (shape.exclusive && !need.exclusive) return false;
  if (!enough(need.gres, shape.gres) || (shape.without.size > 0 && shape.without !== need.without)) return false;
  return shape.features.length === 0 || JSON.stringify(need.features) === JSON.stringify(shape.features);
}
