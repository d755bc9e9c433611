import { setTimeout as sleep } from "node:timers/promises"
import { fault } from "../../core/errors.js"
import type { Json } from "../../core/json.js"
import type { Memory, Notes } from "../memory.js"
import type { ConfigMap } from "./kinds.js"
import { leaseLocks } from "./leases.js"
import { memoryName, ownLabels, type ClusterPlace } from "./memory-place.js"
import { mostBytes, noteText, sizeOf, withNote, type NoteData } from "./note-text.js"

/** Memory as a ConfigMap and Leases of the environment's namespace: any machine that reaches the cluster can carry on. */
export function clusterMemory(place: ClusterPlace): Memory {
  return { notes: clusterNotes(place), locks: leaseLocks(place) }
}

const attempts = 20

function clusterNotes(place: ClusterPlace): Notes {
  const { cluster, namespace, service } = place
  const ref = { apiVersion: "v1", kind: "ConfigMap", namespace, name: memoryName(service) }
  const read = () => cluster.read<ConfigMap>(ref)
  return {
    where: (name) => `ConfigMap ${ref.name} in namespace ${namespace}, ${name}`,
    async read(name) {
      const text = noteText((await read()) ?? {}, name)
      if (text === undefined) return undefined
      try {
        return JSON.parse(text) as unknown
      } catch {
        return text
      }
    },
    async write(name: string, value: Json) {
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const before = await read()
        const old: NoteData = { data: before?.data ?? {}, binaryData: before?.binaryData ?? {} }
        if (value === undefined && noteText(old, name) === undefined) return
        const notes = withNote(old, name, value)
        if (sizeOf(notes) > mostBytes) throw tooLarge(place, ref.name, name, sizeOf(notes))
        const meta = { name: ref.name, namespace, labels: ownLabels(place, "memory") }
        const done =
          before === undefined
            ? await cluster.create({ apiVersion: "v1", kind: "ConfigMap", metadata: meta, ...notes })
            : await cluster.replace({ ...before, ...notes })
        if (done !== undefined) return
        // Somebody else wrote in between: his note stays, and ours is put beside it.
        await sleep(20 * attempt)
      }
      throw fault({
        code: "K8S-NOTES",
        kind: "errored",
        message: `What is remembered of ${service} cannot be written: others change it all the time`,
        reason: `ConfigMap ${ref.name} in ${namespace}`,
        hint: "Find out who writes there, then run the same command again.",
      })
    },
  }
}

function tooLarge({ namespace, service }: ClusterPlace, map: string, note: string, bytes: number) {
  return fault({
    code: "NOTES-FULL",
    kind: "errored",
    message: `What is remembered of ${service} does not fit into its ConfigMap any more`,
    reason: `With ${note}, ${map} in ${namespace} would have ${bytes} bytes; ${mostBytes} are the most.`,
    hint: "Make the service's configuration smaller: large files belong into its image, or into a volume.",
  })
}
