import { describe, expect, it } from "vitest"
import { choosePlace, knownPlace } from "../../../../clients/codehost/place.js"

const gitlab = { kind: "gitlab" as const, url: "https://git.example/gl" }

describe("where the project is", () => {
  it.each([
    ["GitLab's variables", { CI_SERVER_URL: "https://git.example/gl/", CI_PROJECT_ID: "42" }, undefined, "ssh://x/y.git", { ...gitlab, project: "42" }],
    ["GitHub's variables", { GITHUB_SERVER_URL: "https://github.com", GITHUB_REPOSITORY: "heike/shop" }, undefined, undefined, { kind: "github", url: "https://github.com", project: "heike/shop" }],
    ["origin by https, with its port", {}, undefined, "https://git.example:8443/heike/shop.git", { kind: "gitlab", url: "https://git.example:8443", project: "heike/shop" }],
    ["origin by ssh, without its port", {}, undefined, "ssh://git.example:2222/heike/shop.git", { kind: "gitlab", url: "https://git.example", project: "heike/shop" }],
    ["origin at github.com", {}, undefined, "ssh://github.com/heike/shop.git", { kind: "github", url: "https://github.com", project: "heike/shop" }],
    ["the configuration before all", { CI_SERVER_URL: "https://other", CI_PROJECT_ID: "1" }, { ...gitlab, project: "a/b" }, undefined, { ...gitlab, project: "a/b" }],
    ["the configuration, with the project that CI says", { CI_SERVER_URL: "https://other", CI_PROJECT_ID: "1" }, gitlab, undefined, { ...gitlab, project: "1" }],
    ["the configuration, with origin's project below the path of the instance", {}, gitlab, "https://git.example/gl/a/b.git", { ...gitlab, project: "a/b" }],
    ["the configuration, with origin's project by ssh", {}, gitlab, "ssh://git.example/a/b.git", { ...gitlab, project: "a/b" }],
    ["nothing", {}, undefined, undefined, undefined],
    ["variables that are empty", { CI_SERVER_URL: "", CI_PROJECT_ID: "" }, undefined, undefined, undefined],
    ["an origin that is no address", {}, undefined, "/srv/git/shop.git", undefined],
    ["a configuration without any project", {}, gitlab, undefined, undefined],
  ])("%s", (_, env, config, origin, expected) => {
    expect(choosePlace({ env, config, origin })).toEqual(expected)
  }) // prettier-ignore

  it("a certificate authority of its own goes before the engine's", () => {
    const from = { env: {}, ca: "/engine.pem" }
    expect(choosePlace({ ...from, config: { ...gitlab, project: "1" } })?.ca).toBe("/engine.pem")
    expect(choosePlace({ ...from, config: { ...gitlab, project: "1", ca: "/own.pem" } })?.ca).toBe("/own.pem")
  })

  it("is asked for by name", () => {
    expect(() => knownPlace(undefined)).toThrow(
      expect.objectContaining({ code: "CODEHOST-WHERE", kind: "usage" }) as Error,
    )
  })
})
