import { readFile } from "node:fs/promises"
import { describe, expect, it } from "vitest"
import { readArchive } from "../../../clients/registry/index.js"
import { runCheckout } from "../../../steps/checkout/index.js"
import { build } from "../../../steps/image/build.js"
import { ServiceDeclaration, type Service } from "../../../steps/service.js"
import { engine, realSession, resolve, stepContext } from "./engine.js"
import { temporaryRepository } from "./repository.js"

const session = realSession()

const good = `FROM node:22-trixie-slim AS build
ARG GREETING=none
RUN --mount=type=secret,id=ca,target=/run/secrets/ca.pem if [ -f /run/secrets/ca.pem ]; then echo trusted; fi
RUN mkdir /out && echo "$GREETING" > /out/greeting

FROM node:22-trixie-slim
ARG GANTRY_COMMIT=unknown
ENV GANTRY_COMMIT=\${GANTRY_COMMIT}
COPY --from=build /out/greeting /greeting
COPY main.js ./
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "0"]
ENTRYPOINT ["node", "main.js"]
`

async function image(dockerfile: string | undefined, declared: Record<string, unknown> = {}) {
  const service: Service = {
    ...ServiceDeclaration.parse({
      name: "tiny",
      toolchain: { image: "node:22-trixie-slim" },
      build: { args: { GREETING: "你好" }, ...declared },
      tests: {},
      health: {},
    }),
    path: "services/tiny",
  }
  const repo = await temporaryRepository()
  await repo.git("remote", "add", "origin", "https://bot:token@git.example.com/shop.git")
  const commit = await repo.commit("First", {
    ".gitignore": ".gantry\n",
    "services/tiny/main.js": "console.log(process.env.GANTRY_COMMIT)\n",
    ...(dockerfile === undefined ? {} : { "services/tiny/Dockerfile": dockerfile }),
  })
  const context = await stepContext(repo, session(), "tiny.image", commit)
  const source = await runCheckout(context, [service], {})
  return { context, commit, result: build(context, { engine, service, source, resolve }) }
}

describe("an image from a Dockerfile", () => {
  it("is one archive with the commit's labels, a user, a health check, and no trace of this host", async () => {
    // Unique, so that the engine really runs it: what it says is only there while it runs.
    const word = `said-${process.pid}-${Date.now()}`
    const { context, commit, result } = await image(good.replace("RUN mkdir", `RUN echo ${word} && mkdir`))
    const built = await result
    expect(context.lines).toContain(word)
    expect(built.labels).toEqual({
      "org.opencontainers.image.title": "tiny",
      "org.opencontainers.image.revision": commit,
      "org.opencontainers.image.created": "2026-03-01T10:00:00+08:00",
      "org.opencontainers.image.source": "https://git.example.com/shop.git",
    })
    expect(context.reports).toEqual([{ kind: "image", reference: "tiny", digest: built.digest, size: built.size }])
    const archive = await readArchive(await context.artifacts.open(built.archive))
    expect(archive).toMatchObject({ digest: built.digest, size: built.size })
    expect(archive.manifest.mediaType).toBe("application/vnd.oci.image.manifest.v1+json")
    expect(archive.config.config).toMatchObject({
      User: "10001:10001",
      Entrypoint: ["node", "main.js"],
      ExposedPorts: { "8080/tcp": {} },
      Labels: built.labels,
      // Docker's own field: it survives in the archive although OCI's specification does not name it.
      Healthcheck: { Test: ["CMD", "node", "-e", "0"] },
    })
    expect(archive.config.config?.Env).toContain(`GANTRY_COMMIT=${commit}`)
    expect(JSON.stringify(archive.config)).not.toMatch(/ca\.pem|SSL_CERT_FILE|trustStore|bot:token/)
  })

  it.each([
    ["has no user", good.replace("USER 10001:10001\n", ""), {}, "IMAGE-USER", /no USER/],
    ["is missing", undefined, {}, "IMAGE-NO-DOCKERFILE", /Dockerfile/],
    [
      "has a command that fails",
      good.replace("RUN mkdir /out", "RUN echo so sad; exit 7 && mkdir /out"),
      {},
      "IMAGE-BUILD",
      /so sad/,
    ],
    [
      "copies what is not there",
      good.replace("COPY main.js ./", "COPY no-such-file.js ./"),
      {},
      "IMAGE-BUILD",
      /no-such-file/,
    ],
    ["has an unknown instruction", good.replace("EXPOSE 8080", "EXPOSSE 8080"), {}, "IMAGE-BUILD", /EXPOSSE/i],
    ["has an unknown target", good, { target: "nowhere" }, "IMAGE-BUILD", /nowhere/],
  ])("is failed when it %s", async (_what, dockerfile, declared, code, reason) => {
    const { context, result } = await image(dockerfile, declared)
    const error: unknown = await result.catch((e: unknown) => e)
    expect(error).toMatchObject({ code, kind: "failed", hint: expect.stringContaining("services/tiny") as string })
    if (reason !== undefined) expect((error as { reason: string }).reason).toMatch(reason)
    expect(context.reports).toEqual([])
  })

  it("names the line of the command that failed", async () => {
    const { result } = await image(good.replace("RUN mkdir /out", "RUN false && mkdir /out"))
    await expect(result).rejects.toMatchObject({
      message: expect.stringContaining("services/tiny/Dockerfile:4") as string,
    })
  })

  it("is errored when a base image cannot be had", async () => {
    const { result } = await image(good.replaceAll("node:22-trixie-slim", "registry.invalid/nobody/nothing:1"))
    await expect(result).rejects.toMatchObject({ kind: "errored" })
  })

  it("gives the archive that is there to the run's folder, byte for byte", async () => {
    const { context, result } = await image(good)
    const built = await result
    const bytes = await readFile(await context.artifacts.open(built.archive))
    expect(bytes.length).toBe(built.archive.size)
  })
})
