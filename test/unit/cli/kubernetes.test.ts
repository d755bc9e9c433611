import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { parseObjects } from "../../../environments/kubernetes/yaml.js"
import { makeProject } from "./rig.js"

describe("what the command says about a cluster without asking one", () => {
  let project: Awaited<ReturnType<typeof makeProject>>
  const gantry = (...args: string[]) => project.start(args, { KUBECONFIG: "/nowhere" }).ended

  beforeAll(async () => {
    project = await makeProject(
      {
        "gantry.config.ts": `export default { project: "shop", services: ["catalog"], environments: {
          test: {},
          prod: { profile: "prod", kubernetes: { namespace: "live", expose: { kind: "gateway", gateway: "public", namespace: "edge" } } },
        } }\n`,
        "catalog/gantry.service.yaml": `name: catalog\ntoolchain: { image: "node:22" }\nbuild: {}\nhealth: {}\n`,
      },
      { keep: true },
    )
  })
  afterAll(() => project.dispose())

  const namespaces = (text: string) => [...new Set(parseObjects(text, "rbac").map((o) => o.metadata.namespace))]

  it("env rbac prints the environment's objects, in its own namespace or the one that is named", async () => {
    const plain = await gantry("env", "rbac", "test")
    expect(plain).toMatchObject({ code: 0, stderr: "" })
    expect(namespaces(plain.stdout)).toEqual([undefined, "shop-test"])
    const named = await gantry("env", "rbac", "test", "--namespace", "other", "--prometheus", "figures")
    expect(namespaces(named.stdout)).toEqual([undefined, "other"])
    expect(named.stdout).toContain("- http:figures:9090\n")
  })

  it("env rbac knows namespace and Gateway from the configuration", async () => {
    const { stdout } = await gantry("env", "rbac", "prod")
    expect(namespaces(stdout)).toEqual([undefined, "live", "edge"])
  })

  it.each([
    [["env", "rbac", "nope"], /nope/],
    [["env", "rbac", "test", "--gateway", "public"], /--gateway takes <namespace>\/<name>/],
    [["chart", "install"], /gantry chart has no "install"/],
  ])("%j is refused", async (args, said) => {
    const { code, stdout, stderr } = await gantry(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(said)
  })
})
