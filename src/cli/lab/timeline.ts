/**
 * What the service said about each host while the sample ran: every state it was seen in, when that began, and why. The
 * beginning of a state is exact however rarely it is looked at; a state shorter than the pause between two looks may be
 * missing.
 */
import type { NodeView } from '../../controller/view.ts';
import type { HostState } from '../../domain/lifecycle.ts';

export interface Move {
  readonly host: string;
  readonly state: HostState;
  /** Epoch ms. */
  readonly at: number;
  readonly reason: string;
}

/** Adds what is new. @returns only the new moves */
export function observe(moves: Move[], nodes: readonly NodeView[]): Move[] {
  const fresh = nodes
    .filter((node) => !moves.some((m) => m.host === node.host && m.state === node.state && m.at === node.since))
    .map((node) => ({ host: node.host, state: node.state, at: node.since, reason: node.reason }));
  moves.push(...fresh);
  return fresh;
}

/** The first move of a host into one of the states within a span of time. */
export function firstMove(
  moves: readonly Move[],
  host: string,
  state: HostState,
  span: { readonly from: number; readonly to: number },
): Move | null {
  const found = moves.filter((m) => m.host === host && m.state === state && m.at >= span.from && m.at <= span.to);
  return found.sort((a, b) => a.at - b.at)[0] ?? null;
}
