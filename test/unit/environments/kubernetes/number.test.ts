import { describe, expect, it } from "vitest"
import { environment, type EnvironmentInput } from "../../../../environments/environment.js"
import type { Deployment } from "../../../../environments/kubernetes/kinds.js"
import { isOthers, numberFor, numberNow } from "../../../../environments/kubernetes/number.js"
import { ownersOf } from "../../../../environments/kubernetes/owners.js"
import { clockedBounds, withoutClocked } from "../../../../environments/kubernetes/scaling.js"
import type { Tuning } from "../../../../environments/kubernetes/settings.js"
import {
  noTraffic,
  withHold,
  withoutHold,
  withWeights,
  type TrafficState,
} from "../../../../environments/kubernetes/traffic.js"

const autoscaling = { min: 2, max: 9, cpu: 80, scaleDownSeconds: 60 }
const schedule = { name: "night", cron: "0 22 * * *", timeZone: "Asia/Shanghai" }
const about = (services: NonNullable<NonNullable<EnvironmentInput["kubernetes"]>["services"]>) => ({
  service: "web",
  environment: environment("test", { target: "kubernetes", kubernetes: { services } }),
})
const elastic = about({ web: { autoscaling } })
const clocked = about({ web: { schedules: [{ ...schedule, replicas: 1 }] } })
const plain = about({ other: { autoscaling } })

/** As the API server lists who set what. */
const setBy = (manager: string, fields: object, operation = "Update") => ({
  manager,
  operation,
  apiVersion: "apps/v1",
  fieldsType: "FieldsV1",
  fieldsV1: { "f:spec": fields },
})
const deployment = (replicas: number, ...managedFields: readonly unknown[]): Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web-blue", managedFields },
  spec: { replicas, template: {} },
})
const ours = setBy("gantry", { "f:replicas": {} }, "Apply")
const theClock = setBy("gantry-schedule", { "f:replicas": {} })

describe("who has set a field", () => {
  it("is told by manager and kind of change, several where they agree", () => {
    expect(ownersOf(deployment(2, ours, theClock), "spec.replicas")).toEqual([
      { manager: "gantry", operation: "Apply" },
      { manager: "gantry-schedule", operation: "Update" },
    ])
    expect(ownersOf(deployment(2, setBy("kubectl", { "f:paused": {} })), "spec.replicas")).toEqual([])
    expect(ownersOf({ metadata: { name: "web" } }, "spec.replicas")).toEqual([])
  })
})

describe("how many instances a release gets", () => {
  it.each([
    ["nothing runs", plain, undefined, 3, 3],
    ["somebody has scaled by hand", plain, deployment(7, setBy("kubectl", { "f:replicas": {} })), 3, 3],
    ["the autoscaler has more", elastic, deployment(6), 3, 6],
    ["the autoscaler has fewer", elastic, deployment(2), 3, 3],
    ["the autoscaler has not begun", elastic, undefined, 3, 3],
    ["the clock has set more", clocked, deployment(6, theClock), 3, 6],
    ["the clock has set fewer", clocked, deployment(2, ours, theClock), 3, 2],
    ["the clock has not struck yet", clocked, deployment(2, ours), 3, 3],
    ["the clock has put it to none", clocked, deployment(0, theClock), 3, 1],
  ] as const)("%s", (_name, scene, active, configured, wanted) => {
    expect(numberFor(scene, active, configured)).toBe(wanted)
  })

  it("is nobody else's where nothing serves, or nobody else is configured", () => {
    expect(isOthers(elastic, deployment(4))).toBe(true)
    expect(isOthers(elastic, deployment(0))).toBe(false)
    expect(isOthers(elastic, undefined)).toBe(false)
    expect(isOthers(clocked, deployment(4, theClock))).toBe(true)
    expect(isOthers(clocked, deployment(4, ours))).toBe(false)
    expect(isOthers(plain, deployment(4, theClock))).toBe(false)
  })
})

describe("how many instances a release gets while two share the traffic", () => {
  const shared = (active: "blue" | "green"): TrafficState => ({
    ...noTraffic,
    active,
    weights: { blue: 100, green: 100 },
  })
  it.each([
    ["a small canary beside what an autoscaler made many", elastic, deployment(8), deployment(2), "blue", 8],
    ["a canary that has most of it, and not yet as many", elastic, deployment(8), deployment(6), "green", 8],
    ["a canary that the clock has never seen", clocked, deployment(5, theClock), deployment(4, ours), "green", 5],
    ["nobody else has the say", plain, deployment(8), deployment(6), "green", 3],
  ] as const)("%s", (_name, scene, blue, green, active, wanted) => {
    expect(numberNow(scene, { deployments: { blue, green }, traffic: shared(active) }, 3)).toBe(wanted)
  })

  it("a track without traffic has no say", () => {
    const traffic = { ...noTraffic, weights: { blue: 100, green: 0 } }
    expect(numberNow(elastic, { deployments: { blue: deployment(4), green: deployment(9) }, traffic }, 3)).toBe(4)
  })

  it("the autoscaler is held from when they share it until one is left", () => {
    const alone = { ...noTraffic, weights: { blue: 100, green: 0 } }
    expect(withHold(alone)).toEqual(alone)
    const held = withHold(withWeights(alone, { green: 10 }, { blue: 4, green: 1 }))
    expect(held.held).toBe(true)
    const back = withHold(withWeights(held, { green: 0 }, { blue: 4, green: 1 }))
    expect(back).toMatchObject({ held: true, active: "blue", weights: { blue: 100, green: 0 } })
    expect(withoutHold(back)).not.toHaveProperty("held")
  })
})

describe("bounds of the autoscaler that the clock has set", () => {
  const tuning: Tuning = { autoscaling, schedules: [{ ...schedule, min: 1 }] }
  const object = { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata: { name: "web" } }
  const rendered = { ...object, spec: { minReplicas: 2, maxReplicas: 9, metrics: [] } }
  const live = (fields: object) => ({
    ...object,
    metadata: { name: "web", managedFields: [setBy("gantry-schedule", fields)] },
  })

  it("are left out as long as a schedule sets them", () => {
    expect(clockedBounds(tuning)).toEqual(["minReplicas"])
    const left = withoutClocked(rendered, live({ "f:minReplicas": {}, "f:maxReplicas": {} }), tuning)
    expect(left["spec"]).toEqual({ maxReplicas: 9, metrics: [] })
  })

  it("are said where no schedule has set them yet, or none does any more", () => {
    expect(withoutClocked(rendered, undefined, tuning)).toEqual(rendered)
    expect(withoutClocked(rendered, live({}), tuning)).toEqual(rendered)
    expect(withoutClocked(rendered, live({ "f:minReplicas": {} }), { autoscaling })).toEqual(rendered)
  })
})
