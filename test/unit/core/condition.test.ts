import { describe, expect, it } from "vitest"
import {
  all,
  any,
  branch,
  changes,
  clean,
  matchesGlob,
  mergeRequest,
  schedule,
  tag,
  whyNot,
} from "../../../core/condition.js"
import type { Condition, Facts } from "../../../core/condition.js"

describe("whyNot", () => {
  it.each<[Condition, Facts, string | undefined]>([
    [branch("main"), { branch: "main" }, undefined],
    [branch("main", "release/*"), { branch: "release/1.2" }, undefined],
    [branch("main"), { branch: "feature" }, "only on branch main (this is feature)"],
    [branch("main", "hotfix"), {}, "only on branch main or hotfix (this is no branch)"],
    [tag(), { tag: "v1" }, undefined],
    [tag(), {}, "only for a tag"],
    [mergeRequest(), { mergeRequest: "7" }, undefined],
    [mergeRequest(), {}, "there is no merge request for this commit"],
    [schedule(), { schedule: true }, undefined],
    [schedule(), {}, "only on a schedule"],
    [clean(), {}, undefined],
    [clean(), { dirty: true }, "the work tree is delivered, not a commit (--dirty)"],
    [changes("catalog", ["catalog/**"]), { changed: ["catalog/src/a.js"] }, undefined],
    [changes("catalog", ["catalog/**"]), { changed: ["order/pom.xml"] }, "nothing of catalog changed"],
    [changes("catalog", ["catalog/**"]), { changed: [] }, "nothing of catalog changed"],
    [changes("catalog", ["catalog/**"]), {}, undefined],
    [all(branch("main"), clean()), { branch: "main" }, undefined],
    [
      all(branch("main"), clean()),
      { branch: "main", dirty: true },
      "the work tree is delivered, not a commit (--dirty)",
    ],
    [all(), {}, undefined],
    [any(tag(), schedule()), { schedule: true }, undefined],
    [any(tag(), schedule()), {}, "only for a tag; only on a schedule"],
    [any(), {}, "any() of no conditions never holds"],
    [all(any(tag(), branch("main")), clean()), { branch: "main" }, undefined],
  ])("%j with %j", (condition, facts, reason) => {
    expect(whyNot(condition, facts)).toBe(reason)
  })
})

describe("matchesGlob", () => {
  it.each<[string, string, boolean]>([
    ["main", "main", true],
    ["main", "main2", false],
    ["release/*", "release/1", true],
    ["release/*", "release/1/2", false],
    ["a/**", "a/b/c", true],
    ["a/**", "a", false],
    ["**/pom.xml", "pom.xml", true],
    ["**/pom.xml", "order/pom.xml", true],
    ["a/**/z", "a/z", true],
    ["a/**/z", "a/b/c/z", true],
    ["v?.x", "v1.x", true],
    ["v?.x", "v/.x", false],
    ["a.b", "axb", false],
    ["a+(b)[c]", "a+(b)[c]", true],
  ])("%s and %s: %s", (glob, text, matches) => {
    expect(matchesGlob(glob, text)).toBe(matches)
  })
})
