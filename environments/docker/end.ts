import type Docker from "dockerode"
import type { Exit } from "../target.js"

const sigkilled = 137
/** How long after the end Docker may still hear why. Seconds. */
const patience = 2

/**
 * How a container that does not run ended. The kernel's word that it was killed for its memory travels apart from the word
 * that it ended, and may come after it: Docker up to 20.10 then leaves `OOMKilled` at false for ever, later ones for a moment,
 * and both write an event "oom" (containerd issue 12260, moby issue 41929). So one that was killed is asked for that event as
 * well, for up to two seconds after its end.
 */
export async function endOf(docker: Docker, { Id, State }: Docker.ContainerInspectInfo): Promise<Exit> {
  const { ExitCode: code, OOMKilled } = State
  return { code, outOfMemory: OOMKilled || (code === sigkilled && (await toldOfMemory(docker, Id, State))) }
}

async function toldOfMemory(
  docker: Docker,
  id: string,
  { StartedAt, FinishedAt }: Pick<Docker.ContainerInspectInfo["State"], "StartedAt" | "FinishedAt">,
): Promise<boolean> {
  const events = (await docker.getEvents({
    since: Math.floor(Date.parse(StartedAt) / 1000),
    until: Math.ceil(Date.parse(FinishedAt) / 1000) + patience,
    filters: { type: ["container"], container: [id], event: ["oom"] },
  })) as NodeJS.ReadableStream & AsyncIterable<Buffer>
  for await (const chunk of events) if (chunk.length > 0) return true
  return false
}
