import { z } from "zod"
import { annotations, labels } from "./labels.js"
import type { Service } from "./kinds.js"
import type { Track } from "./values.js"

/** How the traffic is shared by the two tracks. Kept as an annotation of the Service that users reach. */
export const TrafficState = z.object({
  /** The track that in-cluster callers see, and users where one has everything. */
  active: z.enum(["blue", "green"]),
  /** Weight of each instance of a track, 0–256; the share of a track is that times its instances. */
  weights: z.object({ blue: z.number().int(), green: z.number().int() }),
  /** What the track as a whole has on the route. */
  shares: z.object({ blue: z.number().int(), green: z.number().int() }),
  preview: z.enum(["blue", "green", "none"]),
  /** Two releases share it, or did until just now: the autoscaler takes no instance away. */
  held: z.boolean().optional(),
})
export type TrafficState = z.infer<typeof TrafficState>

export const otherTrack = (track: Track): Track => (track === "blue" ? "green" : "blue")

/** Before anything was deployed. */
export const noTraffic: TrafficState = {
  active: "blue",
  weights: { blue: 0, green: 0 },
  shares: { blue: 0, green: 0 },
  preview: "none",
}

/** What the Service says; where its note is lost, its selector does. */
export function trafficOf(service: Service | undefined): TrafficState {
  if (service === undefined) return noTraffic
  const noted = parse(service.metadata.annotations?.[annotations.traffic])
  if (noted !== undefined) return noted
  const active = service.spec.selector?.[labels.track] === "green" ? "green" : "blue"
  const all = { blue: 0, green: 0, [active]: 100 }
  return { active, weights: all, shares: all, preview: "none" }
}

function parse(text: string | undefined): TrafficState | undefined {
  try {
    return TrafficState.parse(JSON.parse(text ?? ""))
  } catch {
    return undefined
  }
}

/** Whether both tracks have some of it. */
export const isShared = ({ weights }: Pick<TrafficState, "weights">) => weights.blue > 0 && weights.green > 0

/**
 * What an autoscaler is to leave as it is: from when two releases share the traffic, for the one before has little to do and
 * must be able to take everything back at once, until only one is left. Pure.
 */
export const withHold = (traffic: TrafficState): TrafficState =>
  isShared(traffic) ? { ...traffic, held: true } : traffic

/** One release is left: the autoscaler takes instances away again. Pure. */
export function withoutHold({ held: _, ...traffic }: TrafficState): TrafficState {
  return traffic
}

/**
 * The traffic after weights of instances have changed. A track's instances have one weight: the greatest of theirs.
 * @param changed weight by track, of those that change
 * @param counts instances of each track
 */
export function withWeights(
  before: TrafficState,
  changed: Partial<Record<Track, number>>,
  counts: Readonly<Record<Track, number>>,
): TrafficState {
  const weights = { ...before.weights, ...changed }
  const shares = { blue: weights.blue * counts.blue, green: weights.green * counts.green }
  // Whoever has more is what callers within the cluster see. Nobody has anything: as before.
  const active = shares.blue === shares.green ? before.active : shares.blue > shares.green ? "blue" : "green"
  return { ...before, weights, shares, active }
}
