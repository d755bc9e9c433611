import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { caEnvironment, hostCa } from "../../../engine/ca.js"
import { engineConfig, homeOf } from "../../../engine/config.js"
import { daggerVersion } from "../../../engine/dagger-version.js"
import { diskFull } from "../../../engine/files.js"
import { recipeFor, allRecipes } from "../../../engine/recipes/index.js"
import { formatReference, parseReference } from "../../../engine/image/reference.js"
import {
  allowsPrivileged,
  capabilityConfig,
  capabilityNames,
  lacksCapability,
} from "../../../engine/stack/privileges.js"
import { daggerEngine, engineFiles, engineSocket } from "../../../engine/stack/engine.js"
import { withNeeds } from "../../../engine/stack/ensure.js"
import { javaTruststore } from "../../../engine/truststore.js"
import { lookup } from "./paths.js"

describe("one version of Dagger", () => {
  it("SDK, Go module and engine's reference agree", () => {
    const manifest = JSON.parse(readFileSync(lookup("package.json"), "utf8")) as {
      dependencies: Record<string, string>
    }
    expect(manifest.dependencies["@dagger.io/dagger"]).toBe(daggerVersion)
    const modules = readFileSync(lookup("engine/modules/dagger/go.mod"), "utf8")
    expect(modules).toContain(`github.com/dagger/dagger v${daggerVersion} `)
    expect(daggerEngine.image(engineConfig.parse({}))).toBe(`registry.dagger.io/engine:v${daggerVersion}`)
    expect(daggerEngine.expectedVersion).toBe(daggerVersion)
  })
})

describe("configuration", () => {
  it("has defaults for everything", () => {
    expect(engineConfig.parse({})).toMatchObject({
      stack: "gantry",
      supply: "auto",
      ports: { registry: 5000, sonarqube: 9000 },
    })
    expect(engineConfig.parse({ ports: { registry: 5055 } }).ports.sonarqube).toBe(9000)
  })

  it.each([
    { stack: "Bad Name" },
    { supply: "never" },
    { ports: { registry: 70000 } },
    { unknown: 1 },
    { sonarqube: { url: "x" } },
  ])("refuses %j", (input) => {
    expect(engineConfig.safeParse(input).success).toBe(false)
  })

  it("home: the configuration's, then GANTRY_HOME, then the user's", () => {
    expect(homeOf(engineConfig.parse({ home: "/a" }), { GANTRY_HOME: "/b" })).toBe("/a")
    expect(homeOf(engineConfig.parse({}), { GANTRY_HOME: "/b" })).toBe("/b")
    expect(homeOf(engineConfig.parse({}), {})).toMatch(/\.local\/share\/gantry$/)
  })

  it("certificate authorities: the configuration's must exist, variables are asked in order", () => {
    const here = lookup("package.json")
    expect(hostCa(engineConfig.parse({ ca: here }), {})).toBe(here)
    expect(() => hostCa(engineConfig.parse({ ca: "/no/such.pem" }), {})).toThrowError(
      expect.objectContaining({ code: "CONFIG-CA", kind: "usage" }) as Error,
    )
    expect(hostCa(engineConfig.parse({}), { NODE_EXTRA_CA_CERTS: "/no/such", SSL_CERT_FILE: here })).toBe(here)
    expect(hostCa(engineConfig.parse({}), {})).toBeUndefined()
    expect(Object.values(caEnvironment("/x.pem"))).toEqual(Array.from({ length: 6 }, () => "/x.pem"))
  })
})

describe("recipes", () => {
  it("stand in for full references, each for its own", () => {
    const references = allRecipes.flatMap((recipe) => recipe.references)
    for (const reference of references) {
      const parsed = parseReference(reference)
      expect(parsed === undefined ? "" : formatReference(parsed)).toBe(reference)
    }
    expect(new Set(references).size).toBe(references.length)
  })

  it("build upon recipes that there are, without a circle", () => {
    for (const recipe of allRecipes) {
      const seen = new Set<string>()
      for (let at = recipe; at.from !== undefined;) {
        expect(seen.has(at.from), `${recipe.provides} builds upon itself`).toBe(false)
        seen.add(at.from)
        const parent = recipeFor(at.from)
        expect(parent, `${recipe.provides} builds upon ${at.from}`).toBeDefined()
        if (parent === undefined) break
        at = parent
      }
    }
  })
})

describe("capabilities", () => {
  it("reads a bounding set", () => {
    expect(capabilityNames("0000000000000421")).toEqual(["CHOWN", "KILL", "NET_BIND_SERVICE"])
    expect(allowsPrivileged("000001ffffffffff")).toBe(true)
    // Without SYS_RESOURCE (bit 24).
    expect(allowsPrivileged("000001fffeffffff")).toBe(false)
  })

  it("asks for what there is, without what the Docker Engine does not know", () => {
    const { CapAdd } = capabilityConfig("000001fffeffffff", ["PERFMON", "BPF"]) as { CapAdd: string[] }
    expect(CapAdd).toHaveLength(38)
    expect(CapAdd).toContain("CAP_SYS_ADMIN")
    expect(CapAdd).not.toContain("CAP_SYS_RESOURCE")
    expect(CapAdd).not.toContain("CAP_BPF")
  })

  it("recognises a runtime's refusal", () => {
    expect(lacksCapability("OCI runtime create failed: unable to apply caps: operation not permitted")).toBe(true)
    expect(lacksCapability("no such image")).toBe(false)
  })
})

describe("the engine's files", () => {
  it("name the registry of the stack", () => {
    const files = engineFiles(engineConfig.parse({ ports: { registry: 5055 } }))
    expect(JSON.parse(files.json)).toEqual({ registries: { "127.0.0.1:5055": { http: true } } })
    expect(files.toml).toContain("cniPoolSize = 4")
  })

  it("the socket's path fits into a socket address, however long the home is", () => {
    expect(engineSocket(engineConfig.parse({ home: "/home/a" }))).toBe("/home/a/run/gantry/engine.sock")
    const long = engineSocket(engineConfig.parse({ home: `/${"x".repeat(120)}` }))
    expect(long.length).toBeLessThan(100)
  })
})

describe("the stack", () => {
  const ids = (input: object, wanted: readonly string[]): string[] =>
    withNeeds(engineConfig.parse(input), wanted).map((component) => component.id)

  it("brings what a component needs, before it", () => {
    expect(ids({}, ["engine"])).toEqual(["registry", "engine"])
    expect(ids({}, ["sonarqube"])).toEqual(["sonarqube"])
  })

  it("leaves out what the configuration replaces", () => {
    expect(ids({ sonarqube: { url: "https://sonar.example" } }, ["sonarqube", "engine"])).toEqual([
      "registry",
      "engine",
    ])
    expect(ids({ dagger: { runnerHost: "tcp://127.0.0.1:1234" } }, ["engine"])).toEqual([])
    const harbor = { harbor: { url: "https://harbor.example", project: "shop" } }
    expect(ids({ supply: "images", registry: harbor }, ["engine"])).toEqual(["engine"])
    // What is made from packages needs the stack's registry also beside a Harbor.
    expect(ids({ registry: harbor }, ["engine"])).toEqual(["registry", "engine"])
  })

  it("knows its components", () => {
    expect(() => ids({}, ["databse"])).toThrowError(expect.objectContaining({ code: "STACK-UNKNOWN" }) as Error)
  })
})

describe("a full disk", () => {
  it.each([
    [Object.assign(new Error("write failed"), { code: "ENOSPC" }), true],
    ["Error processing tar file(exit status 1): write /x: no space left on device", true],
    ["You don't have enough free space? Disk quota exceeded", true],
    [new Error("HTTP 500"), false],
  ])("%s: %s", (error, expected) => {
    const found = diskFull(error, "/data")
    expect(found !== undefined).toBe(expected)
    if (found !== undefined) expect(found).toMatchObject({ code: "SUPPLY-DISK-FULL", kind: "errored" })
  })
})

describe("javaTruststore", () => {
  it("holds nothing for a bundle without certificates, and is the same twice", () => {
    const empty = javaTruststore("# nothing\n")
    expect(empty.subarray(0, 12).toString("hex")).toBe("feedfeed0000000200000000")
    expect(empty.length).toBe(12 + 20)
    expect(javaTruststore("")).toEqual(empty)
  })
})
