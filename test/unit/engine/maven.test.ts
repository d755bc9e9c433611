import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { withholdSecrets } from "../../../core/secrets.js"
import { engineConfig } from "../../../engine/config.js"
import { engineContext } from "../../../engine/context.js"
import { allRecipes } from "../../../engine/recipes/index.js"
import { mavenHost, proxyProperties, variablesOf } from "../../../engine/supply/maven-host.js"
import { isPermanent, mavenWords } from "../../../engine/supply/maven-run.js"
import { artifactPath, mavenReference, repositoryPlace } from "../../../engine/supply/maven.js"

describe("an artifact's place", () => {
  it("is Maven's in the local repository, and its checksum's in the cache", () => {
    const artifact = "org.example.tools:thing:1.2.3:zip"
    expect(repositoryPlace(artifact)).toEqual({ folder: "org/example/tools/thing/1.2.3", file: "thing-1.2.3.zip" })
    expect(artifactPath("/home", { artifact, sha256: "ab".repeat(32), bytes: 1, title: "x" })).toBe(
      `/home/cache/downloads/${"ab".repeat(8)}/thing-1.2.3.zip`,
    )
  })

  it("has a recipe for the image that Maven runs in", () => {
    expect(allRecipes.filter((recipe) => recipe.references.includes(mavenReference))).toHaveLength(1)
  })
})

describe("what the host says about Maven", () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "gantry-maven-"))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it("settings are mounted, with the variables that they read", async () => {
    const settings = join(folder, "s.xml")
    await writeFile(settings, "<password>${env.WORD}</password>")
    const context = engineContext(engineConfig.parse({ home: folder, maven: { settings } }))
    const host = await mavenHost(context, { WORD: "secret", OTHER: "x" })
    expect(host.arguments.slice(0, 2)).toEqual(["--settings", "/run/gantry/settings.xml"])
    expect(host.binds).toContain(`${settings}:/run/gantry/settings.xml:ro`)
    expect(host.env).toEqual({ WORD: "secret" })
  })

  it("settings that are configured have to exist", async () => {
    const context = engineContext(engineConfig.parse({ home: folder, maven: { settings: "/no/such.xml" } }))
    await expect(mavenHost(context, {})).rejects.toMatchObject({ code: "CONFIG-MAVEN", kind: "usage" })
  })

  it("each variable counts once, unknown ones not at all", async () => {
    const text = "${env.A} ${env.A} ${env.B} ${user.home} ${env.NOT-A-NAME}"
    expect(await variablesOf(text, { A: "1", C: "3" })).toEqual({ A: "1" })
  })
})

it("settings get the variables that steps do not find any more", async () => {
  const env = { CI_JOB_TOKEN: "glcbt-1" }
  withholdSecrets(env, ["CI_JOB_TOKEN"])
  expect(env).toEqual({})
  expect(await variablesOf("${env.CI_JOB_TOKEN}", env)).toEqual({ CI_JOB_TOKEN: "glcbt-1" })
})

describe("proxyProperties", () => {
  const known = "-Daether.connector.http.useSystemProperties=true"
  const direct = "-Dhttp.nonProxyHosts=localhost|127.*|[::1]"
  it.each<[string, Record<string, string>, string[]]>([
    ["none", { no_proxy: "x" }, []],
    ["one", { https_proxy: "http://p:3128" }, ["-Dhttps.proxyHost=p", "-Dhttps.proxyPort=3128", direct, known]],
    ["without scheme", { HTTP_PROXY: "p:3128" }, ["-Dhttp.proxyHost=p", "-Dhttp.proxyPort=3128", direct, known]],
    [
      "login and exceptions",
      { http_proxy: "http://me:a%40b@p", no_proxy: ".corp.example, 10.0.0.0/8,host:8080" },
      [
        "-Dhttp.proxyHost=p",
        "-Dhttp.proxyPort=80",
        "-Dhttp.proxyUser=me",
        "-Dhttp.proxyPassword=a@b",
        `${direct}|corp.example|*.corp.example|host|*.host`,
        known,
      ],
    ],
    ["nonsense", { http_proxy: "http://" }, []],
  ])("%s", (_name, variables, expected) => {
    expect(proxyProperties(variables)).toEqual(expected)
  })
})

describe("Maven's words", () => {
  const help = [
    "[ERROR] ",
    "[ERROR] To see the full stack trace of the errors, re-run Maven with the -e switch.",
    "[ERROR] Re-run Maven using the -X switch to enable full debug logging.",
    "[ERROR] ",
    "[ERROR] For more information about the errors and possible solutions, please read the following articles:",
    "[ERROR] [Help 1] http://cwiki.example/confluence/display/MAVEN/MojoExecutionException",
  ]
  const failed = (text: string): string =>
    ["[INFO] BUILD FAILURE", `[ERROR] Failed to execute goal: ${text} -> [Help 1]`, ...help].join("\n")

  it.each([
    ["Could not find artifact a:b:zip:1 in company (http://x)", true],
    ["Could not transfer artifact a:b:zip:1: authentication failed, status: 401 Unauthorized", true],
    ["Could not transfer artifact a:b:zip:1: PKIX path building failed", true],
    ["Could not transfer artifact a:b:zip:1: Connection reset", false],
    ["Could not transfer artifact a:b:zip:1: Premature end of Content-Length delimited message body", false],
    ["No plugin found for prefix", true],
  ])("%s: of no use again: %s", (text, permanent) => {
    const words = mavenWords(failed(text))
    expect(words).toBe(`Failed to execute goal: ${text}`)
    expect(isPermanent(words)).toBe(permanent)
  })

  it("are its last lines where it names no error", () => {
    expect(mavenWords("a\nmvn: not found\n")).toBe("a\nmvn: not found")
  })
})
