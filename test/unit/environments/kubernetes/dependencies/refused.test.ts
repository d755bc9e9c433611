import { describe, expect, it } from "vitest"
import { refusedOf } from "../../../../../environments/kubernetes/dependencies/refused.js"

const object = (kind: string, name: string, owner?: string) => ({
  ...{ apiVersion: kind === "Pod" ? "v1" : "apps/v1", kind },
  metadata: { name, uid: name, ...(owner && { ownerReferences: [{ kind: "X", name: owner, uid: owner }] }) },
})
const said = 'pods "mysql-0" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
const began = Date.parse("2026-11-26T20:00:00Z")

/** A cluster with one event, of what has this name. */
const clusterWith = (uid: string, lastTimestamp: string) => ({
  read: () => Promise.resolve(undefined),
  list: (({ fields }: { readonly fields?: string }) =>
    Promise.resolve(
      fields?.includes(`involvedObject.uid=${uid},`) === true && fields.includes("reason=FailedCreate")
        ? [{ ...object("Event", "e"), message: said, lastTimestamp }]
        : [],
    )) as never,
})
const of = (uid: string, at: string, seen: Parameters<typeof refusedOf>[1]) =>
  refusedOf({ cluster: clusterWith(uid, at), namespace: "shop-test" }, seen, began)

describe("whose pods the cluster refuses", () => {
  const makers = [object("MariaDB", "mysql"), object("StatefulSet", "set", "mysql")]

  it("is what an operator made, though its own kind does not say so", async () => {
    expect(await of("set", "2026-11-26T20:00:03Z", { makers, pods: [] })).toMatchObject({
      maker: { kind: "StatefulSet" },
      said,
    })
  })

  it("is nothing that has pods by now, nor what was refused of the declaration before", async () => {
    const pods = [object("Pod", "set-0", "set")]
    expect(await of("set", "2026-11-26T20:00:03Z", { makers, pods })).toBeUndefined()
    expect(await of("set", "2026-11-26T19:50:00Z", { makers, pods: [] })).toBeUndefined()
    const left = makers.map((maker) => ({ ...maker, spec: { replicas: 0 } }))
    expect(await of("set", "2026-11-26T20:00:03Z", { makers: left, pods: [] })).toBeUndefined()
  })
})
