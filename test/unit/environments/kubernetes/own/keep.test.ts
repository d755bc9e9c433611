import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import type { Cluster, KubeObject, KubeRef } from "../../../../../clients/kubernetes/index.js"
import { hashJson } from "../../../../../core/json.js"
import { environment } from "../../../../../environments/environment.js"
import { removeObjects } from "../../../../../environments/kubernetes/own/apply.js"
import { forgetRelease, keepRelease, readRelease } from "../../../../../environments/kubernetes/own/keep.js"
import { markOf } from "../../../../../environments/kubernetes/own/marks.js"
import { secretsOf } from "../../../../../environments/kubernetes/own/pods.js"
import { releaseKey, releaseSpec } from "../../../../../environments/release.js"
import { digest } from "../../../../fakes/chart-values.js"

/** Objects by kind and name, as far as these calls see them. */
function fakeCluster() {
  const there = new Map<string, KubeObject>()
  const name = ({ kind, name }: Pick<KubeRef, "kind" | "name">) => `${kind} ${name}`
  const put = (object: KubeObject) => there.set(name({ kind: object.kind, name: object.metadata.name }), object)
  const cluster = {
    read: (ref: KubeRef) => Promise.resolve(there.get(name(ref))),
    create: (object: KubeObject) => {
      if (there.has(name({ kind: object.kind, name: object.metadata.name }))) return Promise.resolve(undefined)
      put(object)
      return Promise.resolve(object)
    },
    remove: (ref: KubeRef) => {
      there.delete(name(ref))
      return Promise.resolve()
    },
    serves: (_api: string, kind: string) => Promise.resolve(kind !== "Gone"),
  } as unknown as Cluster
  return { cluster, there, put }
}

const objects = [
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "shop-test" }, data: { a: "b" } },
]
const releaseOf = (own: string, commit = "c0ffee") =>
  releaseSpec({
    service: "order",
    reference: `r.example/shop/order@${digest("a")}`,
    digest: digest("a"),
    commit,
    config: "{}\n",
    env: {},
    port: 8080,
    readiness: "/ready",
    startupSeconds: 30,
    calls: [],
    resources: {},
    own,
  })
const release = releaseOf(hashJson(objects))
const scene = () => {
  const fake = fakeCluster()
  const place = { project: "shop", environment: environment("test"), service: "order", namespace: "shop-test" }
  return { ...fake, place: { ...place, cluster: fake.cluster } }
}

describe("a release that is kept", () => {
  it("is what the first deployment of it brought, in a Secret that nobody changes", async () => {
    const { place, there } = scene()
    await keepRelease(place, { release, objects })
    await keepRelease(place, { release: releaseOf(hashJson(objects), "another"), objects })
    expect(await readRelease(place, releaseOf(hashJson(objects), "a third"))).toEqual({ release, objects })
    const [secret] = there.values()
    expect(secret).toMatchObject({ kind: "Secret", immutable: true, type: "gantry.dev/release" })
    expect(secret?.metadata.name).toBe(`gantry-order-own-${releaseKey(release)}`)
  })

  it("is not there any more, or is not what was written: that is told", async () => {
    const { place, put, there } = scene()
    await keepRelease(place, { release, objects })
    const [secret] = there.values()
    put({ ...secret!, data: { release: Buffer.from("{}").toString("base64") } })
    await expect(readRelease(place, release)).rejects.toMatchObject({
      code: "OWN-FORGOTTEN",
      reason: expect.stringContaining("is not what was written") as string,
    })
    await forgetRelease(place, releaseKey(release))
    await expect(readRelease(place, release)).rejects.toMatchObject({
      code: "OWN-FORGOTTEN",
      reason: expect.stringContaining("is gone") as string,
    })
  })

  it("that no Secret could hold is refused", async () => {
    const { place, there } = scene()
    const large = [{ ...objects[0]!, data: { noise: randomBytes(2 ** 20).toString("hex") } }]
    await expect(keepRelease(place, { release, objects: large })).rejects.toMatchObject({ code: "OWN-TOO-LARGE" })
    expect(there.size).toBe(0)
  })
})

describe("what is removed", () => {
  const thing = (name: string, labels: Readonly<Record<string, string>>) => ({
    ...{ apiVersion: "v1", kind: "ConfigMap" },
    metadata: { name, labels },
  })
  it("is marked as the service's, of this environment; nothing else of the same name", async () => {
    const { place, put, there } = scene()
    const mark = markOf(place)
    put(thing("ours", mark))
    put(thing("theirs", { ...mark, "gantry.dev/service": "catalog" }))
    put(thing("unmarked", {}))
    const names = ["ours", "theirs", "unmarked", "never"].map((name) => `v1 ConfigMap ${name}`)
    expect(await removeObjects(place, [...names, "x.io/v1 Gone thing", "broken"])).toEqual(["ConfigMap ours"])
    expect([...there.keys()]).toEqual(["ConfigMap theirs", "ConfigMap unmarked"])
  })
})

it("what Secrets among the objects hold is known, so that no log shows it", () => {
  const data = { a: Buffer.from("first secret").toString("base64") }
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data, stringData: { b: "second secret" } }
  expect([...secretsOf([secret, ...objects])].sort()).toEqual(["first secret", "second secret"])
})
