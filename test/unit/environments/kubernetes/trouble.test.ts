import { expect, it } from "vitest"
import type { ContainerStatus, Pod } from "../../../../environments/kubernetes/kinds.js"
import { ageOf, begunAt, troubleOf } from "../../../../environments/kubernetes/trouble.js"

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
const running = (second: number) => ({ running: { startedAt: at(second) } })
const ended = (second: number) => ({ terminated: { exitCode: 1, startedAt: at(second) } })
const creating = { waiting: { reason: "ContainerCreating" } }
/** A pod that its node took over at second 10. */
const pod = (...states: readonly Pick<ContainerStatus, "state" | "lastState">[]): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", creationTimestamp: at(9) },
  status: {
    startTime: at(10),
    containerStatuses: states.map((state, i) => ({ name: `c${i}`, ready: false, restartCount: 0, ...state })),
  },
})

it.each<[string, Pod, number | undefined, number]>([
  ["has not been placed", pod(), undefined, 30],
  ["waits for its image", pod({ state: creating }), undefined, 30],
  ["runs", pod({ state: running(25) }), 25, 15],
  ["has one container that waits for its image still", pod({ state: running(15) }, { state: creating }), undefined, 30],
  ["has two that run", pod({ state: running(15) }, { state: running(25) }), 25, 15],
  ["was started again", pod({ state: running(30), lastState: ended(20) }), 20, 20],
  [
    "waits to be started again",
    pod({ state: { waiting: { reason: "PodInitializing" } }, lastState: ended(20) }),
    20,
    20,
  ],
  ["has ended", pod({ state: ended(20) }), 20, 20],
])("a pod that %s", (_, it, begun, age) => {
  expect(begunAt(it)).toBe(begun === undefined ? undefined : Date.parse(at(begun)))
  expect(ageOf(it, Date.parse(at(40)))).toBe(age)
})

const backOff = (cause: string) => `Back-off pulling image "web:1": ErrImagePull: ${cause}`
it.each<[string, string, string, number, string | undefined]>([
  ["that is not there", "ErrImagePull", "web:1: not found", 15, "final"],
  ["that is not there, in the pause", "ImagePullBackOff", backOff("web:1: not found"), 15, "final"],
  ["that is not for us", "ImagePullBackOff", backOff("pull access denied"), 15, "final"],
  ["of a registry that is down", "ImagePullBackOff", backOff("dial tcp: connection refused"), 15, undefined],
  ["of a registry that is down for long", "ImagePullBackOff", backOff("dial tcp: connection refused"), 101, "passing"],
  ["of a registry that has enough of us", "ErrImagePull", "429 toomanyrequests", 15, undefined],
  ["of which an old cluster says nothing", "ImagePullBackOff", 'Back-off pulling image "web:1"', 15, undefined],
  ["whose name is none", "InvalidImageName", "couldn't parse", 15, "final"],
])("an image %s: %s, %s", (_, reason, message, second, expected) => {
  const trouble = troubleOf(pod({ state: { waiting: { reason, message } } }), Date.parse(at(second)))
  expect(trouble && (trouble.passing === true ? "passing" : "final")).toBe(expected)
})
