import { describe, expect, it } from "vitest"
import { applyMirror, atDigest, formatReference, parseReference } from "../../../engine/image/reference.js"

const digest = `sha256:${"a".repeat(64)}`

describe("parseReference", () => {
  it.each([
    ["haproxy", "docker.io/library/haproxy:latest"],
    ["haproxy:3.0", "docker.io/library/haproxy:3.0"],
    ["aquasec/trivy:0.74.0", "docker.io/aquasec/trivy:0.74.0"],
    ["index.docker.io/library/node:22", "docker.io/library/node:22"],
    ["registry.dagger.io/engine:v0.21.8", "registry.dagger.io/engine:v0.21.8"],
    ["localhost/app", "localhost/app:latest"],
    ["127.0.0.1:5000/gantry/app:1", "127.0.0.1:5000/gantry/app:1"],
    [`harbor.example:8443/team/a/b@${digest}`, `harbor.example:8443/team/a/b@${digest}`],
    [`node:22@${digest}`, `docker.io/library/node:22@${digest}`],
  ])("%s is %s", (text, full) => {
    const reference = parseReference(text)
    expect(reference).toBeDefined()
    if (reference !== undefined) expect(formatReference(reference)).toBe(full)
  })

  it.each(["", "UPPER/case:1", "a b", "/x", "x/", "node:", "node@sha256:12", "a//b", "node:bad/tag"])(
    "%j is no reference",
    (text) => {
      expect(parseReference(text)).toBeUndefined()
    },
  )

  it("a reference at a digest has no tag", () => {
    const reference = parseReference("node:22")
    if (reference === undefined) throw new Error("unreachable")
    expect(atDigest(reference, digest)).toBe(`docker.io/library/node@${digest}`)
  })
})

describe("applyMirror", () => {
  const mirrors = {
    "docker.io": "harbor.example/dockerhub",
    "docker.io/library/node": "npm.example:5000/node",
    "registry.dagger.io": "https://harbor.example/dagger/",
  }
  it.each([
    ["haproxy:3.0", "harbor.example/dockerhub/library/haproxy:3.0"],
    ["aquasec/trivy:1", "harbor.example/dockerhub/aquasec/trivy:1"],
    ["node:22", "npm.example:5000/node:22"],
    // A prefix ends at a slash: nodejs is not node.
    ["docker.io/library/nodejs:22", "harbor.example/dockerhub/library/nodejs:22"],
    ["registry.dagger.io/engine:v0.21.8", "harbor.example/dagger/engine:v0.21.8"],
    [`haproxy@${digest}`, `harbor.example/dockerhub/library/haproxy@${digest}`],
  ])("%s → %s", (text, expected) => {
    const reference = parseReference(text)
    const mirrored = reference === undefined ? undefined : applyMirror(reference, mirrors)
    expect(mirrored === undefined ? undefined : formatReference(mirrored)).toBe(expected)
  })

  it("leaves alone what no mirror covers", () => {
    const reference = parseReference("quay.io/prometheus/prometheus:v3")
    expect(reference === undefined ? "?" : applyMirror(reference, mirrors)).toBeUndefined()
  })
})
