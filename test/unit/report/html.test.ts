import { createHash } from "node:crypto"
import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { XMLParser, XMLValidator } from "fast-xml-parser"
import { describe, expect, test } from "vitest"
import { readLogTails, writeReports } from "../../../report/file.js"
import { renderHtml } from "../../../report/html.js"
import { link, markup } from "../../../report/html/markup.js"
import { renderJunit } from "../../../report/junit.js"
import { bigRecord, hostile, sampleEvents, sampleRecord, type Scenario } from "./sample.js"

const scenarios: readonly Scenario[] = ["success", "failed", "errored", "waiting", "cancelled"]
const now = Date.parse("2026-11-24T00:00:00Z")

function tailsOf(scenario: Scenario, options: { readonly hostile?: boolean } = {}) {
  const tails = new Map<string, string[]>()
  for (const event of sampleEvents(scenario, options)) {
    if (event.type === "step-logged") tails.set(event.step, [...(tails.get(event.step) ?? []), event.line])
  }
  return tails
}
const page = (scenario: Scenario, options: { readonly hostile?: boolean } = {}) =>
  renderHtml(sampleRecord(scenario, options), { now, logTails: tailsOf(scenario, options) })

/** HTML as XML, to be looked at by a strict parser: void elements closed, the doctype and attributes without value dealt with. */
const asXml = (html: string) =>
  html
    .replace("<!doctype html>\n", "")
    .replace(/<(meta|link|input)\b([^>]*)>/g, "<$1$2/>")
    .replaceAll("<br>", "<br/>")
    .replace(/<details([^>]*) open>/g, '<details$1 open="">')
    .replace(/<(style|script)>[^]*?<\/\1>/g, "<$1></$1>")

const attribute = (html: string, name: string) =>
  [...html.matchAll(new RegExp(` ${name}="([^"]*)"`, "g"))].map((match) => match[1] ?? "")

describe.each(scenarios)("the page of a run that ends %s", (scenario) => {
  const html = page(scenario)

  test("is well-formed to the last tag", () => {
    expect(XMLValidator.validate(asXml(html))).toBe(true)
  })

  test("loads nothing: no address that a browser would fetch by itself", () => {
    expect(attribute(html, "src")).toEqual([])
    expect(html.match(/@import|url\(/g)).toBeNull()
    const linked = [...html.matchAll(/<link [^>]*href="([^"]*)"/g)].map((match) => match[1]?.slice(0, 5))
    expect(linked).toEqual(["data:"])
  })

  test("every link leads somewhere: a place in the page, a file of the run, an address of a report", () => {
    const ids = attribute(html, "id")
    expect(new Set(ids).size).toBe(ids.length)
    const known = new Set(ids.map((id) => `#${id}`))
    for (const href of attribute(html, "href")) {
      if (href.startsWith("#")) expect(known).toContain(href)
      else
        expect(href).toMatch(
          /^(data:image\/svg|\.\/(run\.json|events\.ndjson|steps\/[\w.-]+\/log\.txt|artifacts\/\S+)$|http:\/\/127\.0\.0\.1:)/,
        )
    }
  })

  test("each step stands in the list, the graph and, where it worked, on the timeline", () => {
    const record = sampleRecord(scenario)
    for (const step of record.steps) {
      expect(html).toContain(`<details id="step-${step.id}"`)
      expect(html).toContain(`<a href="#step-${step.id}" class="node ${step.status}"><title>${step.id}: ${step.status}`)
      const worked = step.startedAt !== undefined && !step.cached && step.status !== "skipped"
      expect([step.id, html.includes(`<a href="#step-${step.id}" class="row ${step.status}`)]).toEqual([
        step.id,
        worked,
      ])
    }
  })
})

describe("what the page says", () => {
  test("head: whose commit, how it went, how long", () => {
    const html = page("success")
    expect(html).toContain("<h1>delivery succeeded</h1>")
    expect(html).toContain("韩梅梅 &lt;han.meimei@example.com&gt;")
    expect(html).toContain("按销量排序商品列表")
    expect(html).toContain("2 min 12 s of work in 14 h 04 min")
    expect(html).toContain("14 h 02 min idle")
  })

  test("what now stands in commands; a delivered run shows places and the digest they share", () => {
    expect(page("waiting")).toContain(
      "<code>gantry approve 20261123-080512-7f3a --as &lt;you&gt; --reason &quot;…&quot;</code>",
    )
    expect(page("errored")).toContain("<code>gantry resume 20261123-080512-7f3a</code>")
    const html = page("success")
    expect(html).toContain('<th scope="col">PROD</th>')
    expect(html).toContain('<a href="http://127.0.0.1:18281" rel="noreferrer">http://127.0.0.1:18281</a>')
    expect(html).toContain(`<td class="mono small">sha256:${"c0ffee42".repeat(8)}</td>`)
  })

  test("blocking findings first, exceptions with owner and expiry", () => {
    const html = page("failed")
    const at = (text: string) => html.lastIndexOf(text)
    expect(at("CVE-2021-23337")).toBeGreaterThan(0)
    expect(at("CVE-2021-23337")).toBeLessThan(at("CVE-2025-30258"))
    expect(at("CVE-2025-30258")).toBeLessThan(at("CVE-2024-21538"))
    expect(html).toContain("李雷 until 2026-12-31: build time only, not in the running image")
  })

  test("red tests with message, broken and passed conditions, approval, log, artifacts", () => {
    const failed = page("failed")
    expect(failed).toContain("expected [ &#39;茶杯&#39;, &#39;钢笔&#39; ]")
    expect(failed).toContain('href="./steps/catalog.unit-tests/log.txt"')
    expect(failed).toContain('href="./artifacts/catalog.unit-tests/junit/unit.xml"')
    const success = page("success")
    expect(success).toContain("<td>new coverage</td><td>91.3</td><td>&lt; 80</td>")
    expect(success).toContain("<b>李雷 &lt;li.lei@example.com&gt;</b>")
  })

  test("red steps are open without a click, the others are not", () => {
    const open = [...page("failed").matchAll(/<details id="step-([^"]+)" open>/g)].map((match) => match[1])
    expect(open).toEqual(["catalog.unit-tests", "catalog.scan"])
  })
})

describe("hostile input", () => {
  test("no tag, no attribute and no script of it survives as such", () => {
    const tame = page("failed")
    const html = page("failed", { hostile: true })
    expect(XMLValidator.validate(asXml(html))).toBe(true)
    expect(html).not.toContain("<script>alert")
    expect(html).not.toContain("<img")
    expect(html).toContain("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;")
    const tags = (text: string) => (text.match(/<[a-z]+/g) ?? []).length
    expect(tags(html)).toBe(tags(tame))
    expect(html).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
  })

  test("the page's policy allows its own style and script by their hashes, and nothing else", () => {
    const html = page("failed", { hostile: true })
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]?.replaceAll("&#39;", "'") ?? ""
    const hash = (tag: string) => {
      const text = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(html)?.[1] ?? ""
      return `'sha256-${createHash("sha256").update(text).digest("base64")}'`
    }
    expect(policy.split("; ")).toEqual([
      "default-src 'none'",
      `style-src ${hash("style")}`,
      `script-src ${hash("script")}`,
      "img-src data:",
      "base-uri 'none'",
      "form-action 'none'",
    ])
    expect(html).not.toMatch(/ style="| on[a-z]+="/)
  })

  test("only http addresses become links", () => {
    expect(link("javascript:alert(1)").html).toBe("javascript:alert(1)")
    expect(link("data:text/html,x", "x").html).toBe("x")
    expect(link(' http://a"><b>').html).not.toContain("<a")
    expect(link('http://a/"onclick="x').html).toBe(
      '<a href="http://a/&quot;onclick=&quot;x" rel="noreferrer">http://a/&quot;onclick=&quot;x</a>',
    )
  })

  test("the template escapes whatever is not markup", () => {
    expect(markup`<p title="${'"&'}">${["<b>", markup`<i>${1}</i>`, undefined]}</p>`.html).toBe(
      '<p title="&quot;&amp;">&lt;b&gt;<i>1</i></p>',
    )
  })

  test("an artifact's name cannot leave the run's folder by scheme or query", () => {
    const record = sampleRecord("success")
    const [step] = record.steps
    step?.artifacts.push({ path: "artifacts/javascript:alert(1)?#x", sha256: "0".repeat(64), size: 1 })
    expect(renderHtml(record)).toContain('href="./artifacts/javascript%3Aalert(1)%3F%23x"')
  })
})

test("how long 1,000 steps take", () => {
  const record = bigRecord(1000)
  const started = performance.now()
  const html = renderHtml(record)
  console.log(`1,000 steps: ${Math.round(performance.now() - started)} ms, ${Math.round(html.length / 1000)} kB`)
  expect(html.match(/<details id=/g)).toHaveLength(1000)
})

describe("JUnit", () => {
  const parse = (xml: string) =>
    new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: "",
      isArray: (name) => /^test(suite|case)$/.test(name),
    }).parse(xml) as {
      testsuites: Record<string, string> & {
        testsuite: (Record<string, string> & { testcase: Record<string, unknown>[] })[]
      }
    }

  test("a step is a test case: failed a failure, errored an error", async () => {
    await expect(renderJunit(sampleRecord("failed"), now)).toMatchFileSnapshot("golden/junit-failed.xml")
    const errored = parse(renderJunit(sampleRecord("errored"), now)).testsuites
    expect([errored["tests"], errored["failures"], errored["errors"]]).toEqual(["26", "0", "1"])
    const cases = errored.testsuite.flatMap((suite) => suite.testcase)
    expect(cases.filter((c) => "error" in c).map((c) => c["name"])).toEqual(["order.push"])
    expect(errored.testsuite.map((suite) => suite["name"])).toEqual(["delivery", "delivery.catalog", "delivery.order"])
  })

  test("is XML whatever the names are", () => {
    const xml = renderJunit(sampleRecord("failed", { hostile: true }), now)
    expect(XMLValidator.validate(xml)).toBe(true)
    expect(xml).not.toContain("<script>")
    expect(xml).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/)
    expect(hostile).toContain("]]>")
  })
})

describe("the files of a run", () => {
  test("are written beside the record, with the ends of the logs", async () => {
    const dir = await mkdtemp(join(tmpdir(), "gantry-report-"))
    try {
      await mkdir(join(dir, "steps/catalog.unit-tests"), { recursive: true })
      await mkdir(join(dir, "steps/catalog.image"), { recursive: true })
      const long = Array.from({ length: 50_000 }, (_, i) => `line ${i} 商品`).join("\n")
      await writeFile(join(dir, "steps/catalog.unit-tests/log.txt"), `${long}\n`)
      await writeFile(join(dir, "steps/catalog.image/log.txt"), "no newline at the end")
      const record = sampleRecord("failed")
      const tails = await readLogTails(dir, record)
      expect(tails.get("catalog.unit-tests")?.at(-1)).toBe("line 49999 商品")
      expect(tails.get("catalog.unit-tests")).toHaveLength(60)
      expect(tails.get("catalog.image")).toEqual(["no newline at the end"])
      expect(tails.size).toBe(2)
      const path = await writeReports(dir, record, { now })
      expect(path).toBe(join(dir, "report.html"))
      expect(await readFile(path, "utf8")).toContain("line 49999 商品")
      expect(XMLValidator.validate(await readFile(join(dir, "junit.xml"), "utf8"))).toBe(true)
    } finally {
      await rm(dir, { recursive: true })
    }
  })
})
