import { expect, it } from "vitest"
import { removeDependencies } from "../../../../../environments/kubernetes/dependencies/remove.js"

const named = (apiVersion: string, kind: string, name: string, owner?: string) => ({
  ...{ apiVersion, kind },
  metadata: {
    ...{ name, uid: `${kind} ${name}` },
    labels: owner === undefined ? { "gantry.dev/dependency": "mysql" } : {},
    ownerReferences: owner === undefined ? [] : [{ kind: "X", name: "x", uid: owner }],
  },
})
const database = named("k8s.mariadb.com/v1alpha1", "MariaDB", "mysql")
const set = named("apps/v1", "StatefulSet", "mysql", "MariaDB mysql")
const pod = (name: string, owner: string, claim: string) => ({
  ...named("v1", "Pod", name, owner),
  spec: {
    volumes: [
      { name: "data", persistentVolumeClaim: { claimName: claim } },
      { name: "run", emptyDir: {} },
    ],
  },
})
const pods = [pod("mysql-0", "StatefulSet mysql", "storage-mysql-0"), pod("web", "StatefulSet web", "somebody's")]

/** What is removed of a MariaDB, whose operator has made a StatefulSet of it. */
async function removed(data: boolean): Promise<readonly string[]> {
  const gone: string[] = []
  const entry = {
    ...{ name: "mysql", kind: "manifests", hash: "h", objects: ["k8s.mariadb.com/v1alpha1 MariaDB mysql"] },
    ...{ commit: "c", status: "ready", at: "2026-11-26T20:00:00Z" },
  }
  await removeDependencies({
    cluster: {
      read: () => Promise.resolve(database),
      list: ({ kind }: { readonly kind: string }) =>
        Promise.resolve(kind === "Pod" ? pods : kind === "StatefulSet" ? [set] : []),
      remove: ({ kind, name }: { readonly kind: string; readonly name: string }) =>
        Promise.resolve(void gone.push(`${kind} ${name}`)),
      serves: () => Promise.resolve(true),
    } as never,
    namespace: "shop-test",
    notes: { read: () => Promise.resolve({ schema: 1, dependencies: [entry] }) } as never,
    data,
  })
  return gone
}

it("with its data an operator's volumes go, which bear no label of ours; nobody else's", async () => {
  expect(await removed(true)).toEqual([
    "MariaDB mysql",
    "Secret gantry-dependency-mysql",
    "PersistentVolumeClaim storage-mysql-0",
  ])
})

it("without, nothing of an operator's goes", async () => {
  expect(await removed(false)).toEqual([])
})
