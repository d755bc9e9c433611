import { describe, expect, it } from "vitest"
import { renderComment, type CommentOptions } from "../../../../ci/feedback/comment.js"
import { deployment, findings, image, quality, step, summary, tests } from "./samples.js"

const render = (more: Partial<CommentOptions> & Pick<CommentOptions, "summary">) =>
  renderComment({
    baseline: undefined,
    target: "main",
    pipelineUrl: "https://git.example/p/77",
    mayApprove: [],
    ...more,
  })

describe("the comment on a merge request", () => {
  it("says what somebody has to know, in place", () => {
    const text = render({
      summary: summary([
        step("catalog.unit-tests", [tests()]),
        step("catalog.sonarqube", [quality("passed")]),
        step("catalog.image", [image(52_000_000)]),
        step("catalog.trivy", [findings(["CVE-1", "CVE-2"])]),
        step("catalog.deploy-test", [deployment("test")], { kind: "effect", environment: "test" }),
      ]),
      baseline: summary([step("catalog.image", [image(50_000_000)]), step("catalog.trivy", [findings(["CVE-1"])])]),
      mayApprove: ["Lin Release (`lin`)"],
    })
    expect(text).toMatchInlineSnapshot(`
      "<!-- gantry:delivery -->
      ### \`delivery\` ✔ passed

      Commit \`cccccccc\` · [gitlab-77](https://git.example/p/77)

      | service | tests | quality gate | findings | image |
      | --- | --- | --- | --- | --- |
      | \`catalog\` | 41 of 41 passed, 87.3 % covered | [passed](https://sonar.example/x) | 2 high | 52.0 MB (+2.0 MB) |

      #### 1 finding that \`main\` does not have

      | id | severity | service | where | fixed in |  |
      | --- | --- | --- | --- | --- | --- |
      | \`CVE-2\` | high | \`catalog\` | \`lodash 4.17.15 in app\` | \`4.17.21\` |  |

      #### Environments

      | environment | service | address | image |  |
      | --- | --- | --- | --- | --- |
      | \`test\` | \`catalog\` | [http://127.0.0.1:18080](http://127.0.0.1:18080) | \`sha256:111111111111…\` |  |

      May approve the release: Lin Release (\`lin\`)

      <sub>One comment, kept up to date by Gantry.</sub>
      "
    `)
  })

  it("shows failed tests with their message, and what went wrong with what to do", () => {
    const text = render({
      summary: summary(
        [
          step("catalog.unit-tests", [tests([{ name: "adds to the cart", message: "expected 2, got 3" }])], {
            status: "failed",
            error: {
              code: "TESTS-FAILED",
              kind: "failed",
              message: "1 of 41 tests failed",
              hint: "Look at the report.",
            },
          }),
        ],
        { status: "failed" },
      ),
    })
    expect(text).toContain("### `delivery` ✖ failed")
    expect(text).toContain("**40 of 41 passed**")
    expect(text).toContain("- **`catalog.unit-tests`** failed: `1 of 41 tests failed`")
    expect(text).toContain("Look at the report.")
    expect(text).toContain("<details><summary>1 failed test in catalog.unit-tests</summary>")
    expect(text).toContain("- `adds to the cart`\n\n  ```text\n  expected 2, got 3\n  ```")
  })

  it("says when nothing is known of the target, when nothing is new, and what blocks", () => {
    const found = summary([step("catalog.trivy", [findings(["CVE-1"], true)])])
    expect(render({ summary: found })).toContain("Nothing is known of `main` yet")
    expect(render({ summary: found, baseline: found })).toContain("No findings that `main` does not have.")
    expect(render({ summary: found, baseline: summary([]) })).toContain("**blocks**")
    expect(render({ summary: found })).toContain("**1 high: 1 blocks**")
  })

  it("tells decisions, and who may decide while the gate waits", () => {
    const gate = step("gate", [], { kind: "gate", status: "waiting" })
    expect(render({ summary: summary([gate], { status: "waiting" }) })).toContain("nobody yet")
    const approval = {
      kind: "approval" as const,
      decision: "approved" as const,
      by: "Lin",
      reason: "ok",
      at: "2026-11-25T10:00:00Z",
      evidenceHash: "e",
    }
    expect(render({ summary: summary([step("gate", [approval], { kind: "gate" })]) })).toContain(
      "- approved by `Lin`: `ok`",
    )
  })

  it("nothing that others wrote mentions anybody, closes a fold, or makes a link", () => {
    const evil = "@all </details> ``` [x](https://evil.example) | ![](https://evil.example/a.png)"
    const text = render({
      summary: summary([
        step("catalog.unit-tests", [tests([{ name: evil, message: "```\n@all\n````" }])], { status: "failed" }),
        step("catalog.deploy-test", [deployment("test", "javascript:alert(1)")]),
      ]),
      mayApprove: [],
    })
    const outside = text.replace(/(`+)[^`](?:[\s\S]*?[^`])?\1(?!`)/g, "")
    expect(outside).not.toMatch(/@all|evil\.example|\]\(javascript/)
    expect(text.match(/<details>/g)).toHaveLength(text.match(/<\/details>\n/g)?.length ?? 0)
  })

  it("stays below what the hosts take, with its folds closed", () => {
    const many = Array.from({ length: 20 }, (_, i) => ({ name: `test ${i}`, message: "x".repeat(1900) }))
    const steps = Array.from({ length: 10 }, (_, i) =>
      step(`s${i}.unit-tests`, [tests(many, 100)], { service: `s${i}`, status: "failed" }),
    )
    const text = render({ summary: summary(steps) })
    expect(text.length).toBeLessThan(62_000)
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length)
    expect(text.startsWith("<!-- gantry:delivery -->\n")).toBe(true)
  })
})
