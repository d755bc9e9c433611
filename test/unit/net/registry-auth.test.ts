import { describe, expect, it } from "vitest"
import { bearerHeader, parseChallenge, tokenUrl } from "../../../net/registry/auth.js"
import { pauseBefore } from "../../../net/retry.js"

describe("parseChallenge", () => {
  it.each([
    ['Basic realm="Registry Realm"', { scheme: "basic" }],
    [
      'Bearer realm="https://harbor.example/service/token",service="harbor-registry",scope="repository:shop/a:pull,push"',
      {
        scheme: "bearer",
        realm: "https://harbor.example/service/token",
        service: "harbor-registry",
        scope: "repository:shop/a:pull,push",
      },
    ],
    ["bearer realm=https://x.example/t", { scheme: "bearer", realm: "https://x.example/t", service: undefined }],
    ['Bearer service="x"', undefined],
    ["Negotiate", undefined],
    [null, undefined],
  ])("%s", (header, expected) => {
    const challenge = parseChallenge(header)
    if (expected === undefined) expect(challenge).toBeUndefined()
    else expect(challenge).toMatchObject(expected)
  })

  it("asks for the scope that a push needs, not for the one of the challenge", () => {
    const challenge = { scheme: "bearer", realm: "https://x.example/t?a=1", service: "s", scope: "pull" } as const
    expect(tokenUrl(challenge, "repository:shop/a:pull,push")).toBe(
      "https://x.example/t?a=1&service=s&scope=repository%3Ashop%2Fa%3Apull%2Cpush",
    )
  })
})

describe("bearerHeader", () => {
  it.each([
    [{ token: "a" }, "Bearer a"],
    [{ access_token: "b" }, "Bearer b"],
    [{ token: "a", access_token: "b" }, "Bearer a"],
    [{}, undefined],
  ])("%j", (answer, expected) => {
    expect(bearerHeader(answer)).toBe(expected)
  })
})

describe("pauseBefore", () => {
  const policy = { backoff: 100, maxPause: 5000 }
  const now = Date.parse("2026-03-01T10:00:00Z")
  it.each([
    [1, undefined, 100],
    [3, null, 400],
    [9, undefined, 5000],
    [1, "2", 2000],
    [1, "3600", 5000],
    [1, "0", 100],
    [1, "Sun, 01 Mar 2026 10:00:03 GMT", 3000],
    [2, "Sun, 01 Mar 2026 09:00:00 GMT", 200],
    [1, "soon", 100],
  ])("attempt %i, Retry-After %s → %i ms", (attempt, header, expected) => {
    expect(pauseBefore(attempt, header, policy, now)).toBe(expected)
  })
})
