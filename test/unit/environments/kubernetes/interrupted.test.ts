import { expect, it } from "vitest"
import { engineConfig } from "../../../../engine/config.js"
import { engineContext } from "../../../../engine/context.js"
import { environment } from "../../../../environments/environment.js"
import { kubernetesTarget } from "../../../../environments/kubernetes/target.js"
import { kubeApi } from "../../../fakes/kube-api.js"

it("a target goes on answering after the run's signal: what happened is written down, and the lease let go", async () => {
  const api = await kubeApi()
  const run = new AbortController()
  const config = engineConfig.parse({})
  const target = await kubernetesTarget({
    engine: engineContext(config, { signal: run.signal }),
    project: { project: "shop", engine: config, services: [{ name: "web" }] },
    environment: environment("test", {
      target: "kubernetes",
      kubernetes: { kubeconfig: api.kubeconfig, context: "c", namespace: "n", expose: { kind: "nodePort" } },
    }),
    service: "web",
    signal: run.signal,
    image: (reference) => Promise.resolve(reference),
  })
  const lease = () => [...api.objects.keys()].filter((path) => path.includes("/leases/"))
  const note = await target.locks.hold(
    "deploy",
    "deploy web to test",
    async () => {
      await target.notes.write("rollout", { step: 1 })
      expect(lease()).toHaveLength(1)
      run.abort(new Error("cancelled"))
      await target.notes.write("rollout", { step: 2 })
      return target.notes.read("rollout")
    },
    { signal: run.signal },
  )
  expect(note).toEqual({ step: 2 })
  expect(lease()).toEqual([])
})
