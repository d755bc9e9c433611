import { createInterface } from "node:readline"
import { Readable } from "node:stream"

/** One line of the Docker Engine's progress streams (build, pull, push, import). */
export interface StreamEvent {
  readonly stream?: string
  readonly status?: string
  readonly id?: string
  readonly error?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
  readonly aux?: { readonly ID?: string; readonly Digest?: string; readonly Tag?: string; readonly Size?: number }
}

/** Reads a progress stream to its end. An `error` line of the engine is thrown with the engine's words. */
export async function followStream(
  stream: NodeJS.ReadableStream,
  onEvent: (event: StreamEvent) => void = () => {},
): Promise<void> {
  const readable = stream instanceof Readable ? stream : new Readable().wrap(stream)
  // readline swallows the stream's own errors, so they are listened for apart.
  let broken: unknown
  readable.on("error", (error) => {
    broken = error
  })
  for await (const line of createInterface({ input: readable, crlfDelay: Infinity })) {
    if (line.trim() === "") continue
    const event = JSON.parse(line) as StreamEvent
    if (event.error !== undefined) throw new Error(event.error)
    onEvent(event)
  }
  if (broken !== undefined) throw broken instanceof Error ? broken : new Error(String(broken))
}

/** Adds up the layers of a pull or push: answers the fraction done (0–1) after each event, where sizes are known. */
export function layerProgress(): (event: StreamEvent) => number | undefined {
  const layers = new Map<string, { current: number; total: number }>()
  return (event) => {
    if (event.id !== undefined && event.progressDetail?.total !== undefined) {
      const key = `${event.id} ${event.status}`
      layers.set(key, { current: event.progressDetail.current ?? 0, total: event.progressDetail.total })
    }
    let current = 0
    let total = 0
    for (const layer of layers.values()) {
      current += layer.current
      total += layer.total
    }
    return total === 0 ? undefined : current / total
  }
}
