import { describe, expect, it } from "vitest"
import { engineConfig, type EngineConfigInput } from "../../../../engine/config.js"
import { databaseRepositories } from "../../../../steps/trivy/repositories.js"

const of = (config: EngineConfigInput) => databaseRepositories(engineConfig.parse(config))

describe("where Trivy's databases come from", () => {
  it("is left to Trivy without configuration", () => {
    expect(of({})).toEqual({ database: [], java: [], ports: [], names: [] })
  })
  it("is what the configuration names, in its order", () => {
    const trivy = { dbRepositories: ["harbor.example/trivy/trivy-db:2", "ghcr.io/aquasecurity/trivy-db:2"] }
    expect(of({ trivy }).database).toEqual(trivy.dbRepositories)
  })
  it("is the mirror of the public registry, where there is one", () => {
    const { database, java, names } = of({
      mirrors: { "ghcr.io": "harbor.example/ghcr", "docker.io": "harbor.example/hub" },
    })
    expect(database).toEqual(["harbor.example/ghcr/aquasecurity/trivy-db:2"])
    expect(java).toEqual(["harbor.example/ghcr/aquasecurity/trivy-java-db:1"])
    expect(names).toEqual(database)
  })
  it("on this host's loopback has another name in a container", () => {
    const { database, ports, names } = of({
      trivy: { dbRepositories: ["127.0.0.1:5000/trivy/trivy-db:2", "localhost:5001/trivy-db:2"] },
    })
    expect(database).toEqual(["gantry-host:5000/trivy/trivy-db:2", "gantry-host:5001/trivy-db:2"])
    expect(ports).toEqual([5000, 5001])
    expect(names[0]).toBe("127.0.0.1:5000/trivy/trivy-db:2")
  })
})
