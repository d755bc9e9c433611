import { describe, expect, it } from "vitest"
import { ciSecrets, ciTokens, recordKey, withholdFromSteps } from "../../../ci/secrets.js"
import { gitlabFacts, githubFacts, type Env } from "../../../ci/variables.js"
import { readSecrets } from "../../../core/secrets.js"
import { CiSettings } from "../../../steps/ci.js"
import { thrown } from "../core/rig.js"

const sha = "4f2a9c17d8e05b6391c3a7e2f10d54b8a96c0e3d"
const gitlab = (env: Env = {}) =>
  gitlabFacts({ CI_PIPELINE_ID: "1", CI_COMMIT_SHA: sha, CI_PROJECT_ID: "12", CI_COMMIT_REF_NAME: "feature", ...env })
const fork = { CI_MERGE_REQUEST_SOURCE_PROJECT_ID: "13" }
const wanted = new Map([["TOKEN", ["deploy"]]])
const longKey = "0123456789abcdef0123456789abcdef"

describe("a secret that is missing in CI", () => {
  it.each([
    ["on a branch that is not protected", {}, /Branch feature is not protected/, /Protect it in Settings/],
    [
      "on a tag that is not protected",
      { CI_COMMIT_TAG: "v1" },
      /Tag v1 is not protected/,
      /clear "Protect variable" of TOKEN/,
    ],
    [
      "on a protected branch",
      { CI_COMMIT_REF_PROTECTED: "true" },
      /Branch feature is protected/,
      /Add TOKEN in Settings/,
    ],
    ["for a fork", fork, /a fork's code gets no secrets/, /push the commit to a branch of this project/],
  ])("%s", async (_, env, reason, hint) => {
    const error = await thrown(() => readSecrets(ciSecrets({}, gitlab(env)), wanted))
    expect(error).toMatchObject({ code: "SECRET-MISSING", kind: "usage" })
    expect(error.reason).toMatch(reason)
    expect(error.hint).toMatch(hint)
  })
  it("on GitHub, and outside of CI", async () => {
    const github = githubFacts({ GITHUB_RUN_ID: "1", GITHUB_SHA: sha })
    expect((await thrown(() => readSecrets(ciSecrets({}, github), wanted))).reason).toContain("`env` of the workflow")
    expect((await thrown(() => readSecrets(ciSecrets({}, undefined), wanted))).hint).toContain("export TOKEN=")
  })
})

describe("a fork's merge request", () => {
  it("gets no secret, although it is there", async () => {
    const source = ciSecrets({ TOKEN: "s3cret" }, gitlab(fork))
    expect(await source.read("TOKEN")).toBeUndefined()
    expect(await ciSecrets({ TOKEN: "s3cret" }, gitlab()).read("TOKEN")).toBe("s3cret")
  })
  it("gets no key for records either", () => {
    expect(recordKey({ GANTRY_RECORD_KEY: longKey }, gitlab(fork))).toBeUndefined()
    expect(recordKey({ GANTRY_RECORD_KEY: `${longKey}\n` }, gitlab())).toBe(longKey)
    expect(recordKey({}, gitlab())).toBeUndefined()
  })
})

it("a key that could be guessed is refused", async () => {
  expect(await thrown(() => recordKey({ GANTRY_RECORD_KEY: "secret" }, undefined))).toMatchObject({
    code: "RECORD-KEY",
    kind: "usage",
  })
})

it("steps do not find in the environment what is for somebody else", async () => {
  const secret = {
    CI_JOB_TOKEN: "glcbt-1",
    CI_REGISTRY_PASSWORD: "glcbt-1",
    CI_DEPLOY_PASSWORD: "gldt-1",
    CI_JOB_JWT_V2: "old",
    CI_REPOSITORY_URL: "https://gitlab-ci-token:glcbt-1@gitlab.example/shop.git",
    SIGSTORE_ID_TOKEN: `${btoa('{"alg":"RS256"}')}.${btoa('{"sub":"job"}')}.c2ln`.replaceAll("=", ""),
    GITLAB_TOKEN: "glpat-1",
    HARBOR_PASSWORD: "robot",
  }
  const open = {
    CI_PROJECT_ID: "12",
    CI_REGISTRY_USER: "gitlab-ci-token",
    HTTPS_PROXY: "http://u:p@proxy",
    PATH: "/bin",
  }
  const env = { ...secret, ...open }
  expect(withholdFromSteps(env, [{ secrets: ["HARBOR_PASSWORD"] }, { secrets: [] }], CiSettings.parse({}))).toEqual([])
  expect(env).toEqual(open)
  const source = ciSecrets(env, gitlab())
  for (const [name, value] of Object.entries(secret)) expect(await source.read(name), name).toBe(value)
})

it("in a GitLab job steps see nothing of the project's settings that the configuration does not name", async () => {
  const settings = {
    NPM_TOKEN: "npm-1",
    NODE_AUTH_TOKEN: "npm-2",
    npm_config__authToken: "npm-3",
    DOCKER_AUTH_CONFIG: "{}",
    DOCKER_PASSWORD: "d",
    SSH_PRIVATE_KEY: "s",
    DAGGER_CLOUD_TOKEN: "c",
    GITLAB_API_KEY: "g",
    SHOP_COUPON_KEY: "k",
  }
  const named = { REGION: "cn-north-1", AWS_ROLE_ARN: "arn", AWS_REGION: "cn" }
  const open = {
    GITLAB_CI: "true",
    CI: "true",
    CI_JOB_ID: "7",
    GITLAB_USER_LOGIN: "lin",
    FF_USE_FASTZIP: "true",
    GIT_DEPTH: "0",
    PATH: "/bin",
    LC_ALL: "C.UTF-8",
    GANTRY_TARGET: "kubernetes",
    DOCKER_HOST: "tcp://docker:2376",
    KUBECONFIG: "/builds/shop.tmp/KUBECONFIG",
    _EXPERIMENTAL_DAGGER_RUNNER_HOST: "tcp://engine:1234",
    NODE_EXTRA_CA_CERTS: "/ca.pem",
    npm_config_registry: "https://npm.example",
    NPM_CONFIG_CACHE: ".npm",
    https_proxy: "http://proxy",
  }
  const env: NodeJS.ProcessEnv = { ...settings, ...named, ...open }
  const ci = CiSettings.parse({ gitlab: { variables: { REGION: "cn-north-1" }, visible: ["AWS_*"] } })
  expect(withholdFromSteps(env, [{ secrets: ["NPM_TOKEN"] }], ci)).toEqual(
    Object.keys(settings)
      .filter((name) => name !== "NPM_TOKEN")
      .sort(),
  )
  expect(env).toEqual({ ...named, ...open })
  expect(await ciSecrets(env, gitlab()).read("SHOP_COUPON_KEY")).toBe("k")
  // Elsewhere a person has set what there is, or a workflow that names it.
  const laptop = { SHOP_COUPON_KEY: "k" }
  expect(withholdFromSteps(laptop, [], CiSettings.parse({}))).toEqual([])
  expect(laptop).toEqual({ SHOP_COUPON_KEY: "k" })
})

it("tokens of the CI system are masked whether or not a step declares them", () => {
  expect(
    ciTokens({ CI_JOB_TOKEN: "glcbt-1", GANTRY_RECORD_KEY: longKey, CI_REGISTRY_PASSWORD: "", HOME: "/root" }),
  ).toEqual(["glcbt-1", longKey])
})
