import { describe, expect, it } from "vitest"
import { environment } from "../../../../../environments/environment.js"
import { carriersOf, marked } from "../../../../../environments/kubernetes/own/marks.js"
import { releaseKey, releaseSpec } from "../../../../../environments/release.js"
import { digest } from "../../../../fakes/chart-values.js"

const repository = "127.0.0.1:5000/shop/order"
const reference = `${repository}@${digest("a")}`
const release = releaseSpec({
  service: "order",
  reference,
  digest: digest("a"),
  commit: "c0ffee",
  config: "{}\n",
  env: {},
  port: 8080,
  readiness: "/ready",
  startupSeconds: 30,
  calls: [],
  resources: {},
  own: "hash",
})
const place = { project: "shop", environment: environment("test"), service: "order" }
const pod = (image: string) => ({ containers: [{ name: "app", image }] })
const workload = (kind: string, image: string, apiVersion = "apps/v1") => ({
  apiVersion,
  kind,
  metadata: { name: kind.toLowerCase(), labels: { app: "order" } },
  spec: { replicas: 2, template: { metadata: { labels: { app: "order" } }, spec: pod(image) } },
})
const job = workload("Job", reference, "batch/v1")
const cron = {
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name: "cron" },
  spec: { schedule: "* * * * *", jobTemplate: { spec: { template: { spec: pod(reference) } } } },
}
const redis = workload("StatefulSet", "redis.example/redis:7")

describe("what runs a release", () => {
  it.each([
    ["its long-running workloads alone", [workload("Deployment", reference), job, redis], ["Deployment"]],
    [
      "several of them",
      [workload("Deployment", reference), workload("DaemonSet", reference)],
      ["Deployment", "DaemonSet"],
    ],
    ["Jobs and CronJobs where nothing runs it all the time", [redis, job, cron], ["Job", "CronJob"]],
    ["nothing that could be followed", [workload("Rollout", reference, "argoproj.io/v1alpha1")], []],
  ])("%s", (_what, objects, kinds) => {
    expect(carriersOf(objects, release).map((o) => o.kind)).toEqual(kinds)
  })
})

describe("the marks of a release's objects", () => {
  it("are on every object, and in the pods of those alone that run the image", () => {
    const [web, beside] = marked([workload("Deployment", reference), redis], release, place)
    const mark = {
      "gantry.dev/service": "order",
      "gantry.dev/project": "shop",
      "gantry.dev/environment": "test",
      "gantry.dev/part": "own",
      "gantry.dev/release-key": releaseKey(release),
    }
    expect(web?.metadata.labels).toEqual({ app: "order", ...mark })
    expect(web?.["spec"]).toMatchObject({ replicas: 2, template: { metadata: { labels: { app: "order", ...mark } } } })
    expect(beside).toEqual({ ...redis, metadata: { ...redis.metadata, labels: { app: "order", ...mark } } })
  })

  it("change nothing that was there", () => {
    const before = JSON.stringify(workload("Deployment", reference))
    const object = JSON.parse(before) as ReturnType<typeof workload>
    marked([object], release, place)
    expect(JSON.stringify(object)).toBe(before)
  })

  it("the note in a pod is small, whatever the objects are", () => {
    const [web] = marked([workload("Deployment", reference)], release, place)
    expect(JSON.stringify(web).length).toBeLessThan(2000)
  })
})

it("the objects of a release are part of its identity", () => {
  const { configHash: _, ...fields } = release
  expect(releaseKey(releaseSpec({ ...fields, own: "other" }))).not.toBe(releaseKey(release))
  expect(releaseKey(releaseSpec({ ...fields, commit: "other" }))).toBe(releaseKey(release))
})
