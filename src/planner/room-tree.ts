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
  place(need: Share): readonly Room[] | null;
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
  let left = mayCreate;
  const close = (cloud: string) => {
    for (const [i, room] of rooms.entries()) if (quotas?.of(room.host) === cloud) fresh.hide(i);
  };
  for (const [cloud, n] of quotas?.left ?? []) if (n <= 0) close(cloud);
  /** Shapes that did not fit. */
  const failed: Share[] = [];

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

  /** New hosts; of each cloud no more than its quota. */
  function findNew(need: Share, most: number): number[] {
    if (quotas === null) return find(fresh, need, most);
    const found: number[] = [];
    const used = new Map<string, number>();
    for (let from = 0; found.length < most; ) {
      const next = fresh.first(need, from);
      if (next < 0) break;
      from = next + 1;
      const cloud = quotas.of((rooms[next] as Room).host);
      const n = (used.get(cloud) ?? 0) + 1;
      if (n > (quotas.left.get(cloud) ?? 0)) continue;
      used.set(cloud, n);
      found.push(next);
    }
    return found;
  }

  function use(created: readonly number[]): void {
    left -= created.length;
    for (const i of created) {
      fresh.hide(i);
      const cloud = quotas?.of((rooms[i] as Room).host);
      if (quotas === null || cloud === undefined) continue;
      const rest = (quotas.left.get(cloud) ?? 0) - 1;
      quotas.left.set(cloud, rest);
      if (rest <= 0) close(cloud);
    }
  }

  return {
    place(need) {
      if (failed.some((shape) => atLeast(need, shape))) return null;
      const old = find(open, need, need.nodes);
      const created = findNew(need, Math.min(left, need.nodes - old.length));
      if (old.length + created.length < need.nodes) {
        failed.push(need);
        return null;
      }
      use(created);
      return [...old, ...created].map((i) => {
        const room = rooms[i] as Room;
        take(room, need);
        open.show(i);
        return room;
      });
    },
  };
}

interface Tree {
  /** @returns the index of the first room from `from` on that can take it, or -1 */
  first(need: Share, from: number): number;
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

/** Does the one ask for as much as the other, or more, in every way? Unequal features cannot be compared. */
function atLeast(need: Share, shape: Share): boolean {
  if (need.nodes < shape.nodes || need.cpus < shape.cpus || need.memoryMiB < shape.memoryMiB) return false;
  if (shape.exclusive && !need.exclusive) return false;
  if (!enough(need.gres, shape.gres)) return false;
  return shape.features.length === 0 || JSON.stringify(need.features) === JSON.stringify(shape.features);
}
