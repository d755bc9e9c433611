import { expect, it } from "vitest"
import { unfitness, type Fitness } from "../../../../environments/kubernetes/unfit.js"
import { unknownRelease } from "../../../../environments/release.js"
import type { Instance } from "../../../../environments/target.js"
import type { Pod } from "../../../../environments/kubernetes/kinds.js"

const running: Instance = {
  ...{ id: "1", name: "web-1", slot: 1, key: "k", release: unknownRelease("k"), state: "running", weight: 0 },
  ...{ healthy: false, check: undefined, exit: undefined, restarts: 0 },
}
const dead: Instance = { ...running, state: "dead", exit: { code: 1, outOfMemory: false } }
const trouble = { kind: "image", text: "ImagePullBackOff" } as const
/** It has been there for 40 s. */
const pods = [
  { apiVersion: "v1", kind: "Pod", metadata: { name: "web-1", uid: "1", creationTimestamp: "2026-01-01T00:00:00Z" } },
] as readonly Pod[]
const now = Date.parse("2026-01-01T00:00:40Z")

it.each<[string, Instance, Fitness, string | undefined]>([
  ["is ready", { ...running, healthy: true }, { startupSeconds: 1 }, undefined],
  ["has some time left", running, { startupSeconds: 60 }, undefined],
  ["is late", running, { startupSeconds: 30 }, "timeout"],
  [
    "is late, and its image was being fetched all the time",
    { ...running, preparing: true },
    { startupSeconds: 30 },
    undefined,
  ],
  ["has no time limit of the service's", running, {}, undefined],
  ["has died", dead, { startupSeconds: 60 }, "exited"],
  ["was killed for its memory", { ...dead, exit: { code: 137, outOfMemory: true } }, {}, "out-of-memory"],
  ["has no image", { ...running, trouble, preparing: true }, {}, "trouble"],
  ["has died, and its Job tries again", dead, { job: true }, undefined],
  ["is a Job's, and has no image", { ...running, trouble }, { job: true }, "trouble"],
  ["is a Job's, and takes its time", running, { job: true, startupSeconds: 1 }, undefined],
])("an instance that %s", (_, instance, fitness, why) => {
  const found = unfitness(instance, pods, fitness, now)
  expect(found?.why).toBe(why)
  if (why !== undefined) expect(found?.afterSeconds).toBe(40)
})
