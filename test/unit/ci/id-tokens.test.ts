import { validateWorkflow } from "@action-validator/core"
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import { parse } from "yaml"
import { generateGithub } from "../../../ci/github/generate.js"
import { generateGitlab } from "../../../ci/gitlab/generate.js"
import { audiencesOf } from "../../../ci/id-tokens.js"
import { ciSecrets, withholdFromSteps } from "../../../ci/secrets.js"
import { githubFacts, gitlabFacts } from "../../../ci/variables.js"
import { pipeline } from "../../../core/pipeline.js"
import { readSecrets } from "../../../core/secrets.js"
import { step } from "../../../core/step.js"
import { CiSettings } from "../../../steps/ci.js"
import { thrown } from "../core/rig.js"
import { settingsOf } from "./settings.js"

const name = "SIGSTORE_ID_TOKEN"
const run = () => Promise.resolve()
const sign = step("sign", { secrets: [name, "HARBOR_PASSWORD"], idTokens: { [name]: "sigstore" }, run })
const scan = step("scan", { secrets: ["HARBOR_PASSWORD"], run })
const made = pipeline("signed", { targets: [sign, scan] })
const audiences = audiencesOf(made.steps)
const wanted = new Map([[name, ["sign"]]])
const sha = "4f2a9c17d8e05b6391c3a7e2f10d54b8a96c0e3d"
const gitlab = (env = {}) => gitlabFacts({ CI_PIPELINE_ID: "1", CI_COMMIT_SHA: sha, CI_PROJECT_ID: "12", ...env })
const github = githubFacts({ GITHUB_RUN_ID: "1", GITHUB_SHA: sha })
const token = `${btoa('{"alg":"RS256"}')}.${btoa('{"sub":"job"}')}.c2ln`.replaceAll("=", "")

describe("the generated file", () => {
  it("of GitLab makes the token for the job of the step that declares it, and for no other", () => {
    const [file] = generateGitlab(made, settingsOf({}), { files: undefined })
    const jobs = parse(file?.text ?? "") as Record<string, Record<string, unknown>>
    expect(jobs["sign"]?.["id_tokens"]).toEqual({ [name]: { aud: "sigstore" } })
    expect(jobs["scan"]).not.toHaveProperty("id_tokens")
  })
  it("of GitHub gives the job the right to ask for one; it is no secret of the repository's", () => {
    const text = generateGithub(made, settingsOf({}))
    expect(validateWorkflow(text).errors).toEqual([])
    type Job = { readonly permissions: object; readonly env: object }
    const { jobs } = parse(text) as { readonly jobs: Record<string, Job> }
    expect(jobs["sign"]?.permissions).toMatchObject({ "id-token": "write", contents: "read" })
    expect(jobs["sign"]?.env).not.toHaveProperty(name)
    expect(jobs["sign"]?.env).toHaveProperty("HARBOR_PASSWORD")
    expect(jobs["scan"]?.permissions).not.toHaveProperty("id-token")
  })
  it("is refused where two steps want one name for somebody else each", async () => {
    const other = step("other", { secrets: [name], idTokens: { [name]: "vault" }, run })
    const both = pipeline("both", { targets: [sign, other] })
    const error = await thrown(() => generateGitlab(both, settingsOf({}), { files: undefined }))
    expect(error).toMatchObject({ code: "CI-ID-TOKEN", kind: "usage" })
    expect(error.message).toContain(`${name} is for "sigstore", and in step "other" for "vault"`)
  })
})

describe("in a GitLab job", () => {
  it("the token is there, and not in what other steps inherit", async () => {
    const env: NodeJS.ProcessEnv = { [name]: token, CI_PROJECT_ID: "12" }
    withholdFromSteps(env, made.steps, CiSettings.parse({}))
    expect(env).toEqual({ CI_PROJECT_ID: "12" })
    expect(await ciSecrets(env, gitlab(), audiences).read(name)).toBe(token)
  })
  it("of a file that was not generated again, it is said what is missing", async () => {
    const error = await thrown(() => readSecrets(ciSecrets({}, gitlab(), audiences), wanted))
    expect(error).toMatchObject({ code: "SECRET-MISSING", kind: "usage" })
    expect(error.reason).toContain("`id_tokens` of the job")
    expect(error.hint).toContain("gantry generate gitlab")
  })
  it("of a fork there is none", async () => {
    const ci = gitlab({ CI_MERGE_REQUEST_SOURCE_PROJECT_ID: "13" })
    const error = await thrown(() => readSecrets(ciSecrets({ [name]: token }, ci, audiences), wanted))
    expect(error.reason).toContain("a fork's code gets no secrets")
  })
})

describe("in a GitHub job", () => {
  const bearer = "ghs_request"

  /** Makes tokens as GitHub does, or answers otherwise. */
  async function maker(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    const server = createServer(answer).listen(0, "127.0.0.1")
    await once(server, "listening")
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const env: NodeJS.ProcessEnv = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer,
    }
    withholdFromSteps(env, made.steps, CiSettings.parse({}))
    expect(env).not.toHaveProperty("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    return ciSecrets(env, github, audiences)
  }

  it("it is asked for, for this receiver", async () => {
    const source = await maker(({ url = "", headers }, response) => {
      const right = headers.authorization === `bearer ${bearer}`
      const { searchParams } = new URL(url, "http://x")
      const audience = searchParams.get("api-version") === "2.0" ? searchParams.get("audience") : undefined
      response.writeHead(right && audience === "sigstore" ? 200 : 403).end(JSON.stringify({ count: 1, value: token }))
    })
    expect((await readSecrets(source, wanted)).get(name)?.plaintext()).toBe(token)
    // What nobody declares as one is not asked for.
    expect(await source.read("OTHER")).toBeUndefined()
  })
  it.each<[string, number, string, RegExp]>([
    ["refuses", 403, '{"message":"Resource not accessible by integration"}', /answers 403: .*not accessible/],
    ["says something else", 200, "<html>", /answers 200: <html>/],
    ["has no token", 200, '{"count":0}', /answers 200/],
  ])("nothing runs when GitHub %s", async (_, status, body, reason) => {
    const source = await maker((_request, response) => void response.writeHead(status).end(body))
    const error = await thrown(() => source.read(name))
    expect(error).toMatchObject({ code: "CI-ID-TOKEN", kind: "errored" })
    expect(error.reason).toMatch(reason)
  })
  it("without the right to ask for one, it is said what is missing", async () => {
    const error = await thrown(() => readSecrets(ciSecrets({}, github, audiences), wanted))
    expect(error.reason).toContain("`permissions: id-token: write` of the job")
  })
})

it("on a laptop nobody makes one: the step is refused, unless there is one of somebody's own", async () => {
  const error = await thrown(() => readSecrets(ciSecrets({}, undefined, audiences), wanted))
  expect(error.reason).toContain('proves to "sigstore" what it is; this is no such job')
  expect(error.hint).toContain("--until")
  expect(await ciSecrets({ [name]: token }, undefined, audiences).read(name)).toBe(token)
})
