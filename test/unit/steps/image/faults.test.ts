import { describe, expect, it } from "vitest"
import { fault } from "../../../../core/errors.js"
import type { Service } from "../../../../steps/service.js"
import { buildFault } from "../../../../steps/image/faults.js"

const service = { name: "catalog", path: "shop/catalog", build: { dockerfile: "Dockerfile" } } as Service
const sdkError = (code: string, message: string, cause?: unknown) =>
  Object.assign(new Error(message, { cause }), { code })
const execError = (exitCode: number) =>
  Object.assign(new Error("exec"), { code: "D109", cmd: ["sh"], exitCode, stdout: "", stderr: "no such command" })
const lost = fault({ code: "ENGINE-LOST", kind: "errored", message: "The Dagger engine was lost" })

describe("what an error of the builder means", () => {
  it.each([
    ["a command that said no", execError(1), "failed"],
    ["a command that was killed", execError(137), "errored"],
    ["a command that came to no exit code", execError(-1), undefined],
    ["a builder that said no", sdkError("D100", "dockerfile parse error on line 3"), "failed"],
    ["a registry that did not answer", sdkError("D100", "dial tcp: i/o timeout"), "errored"],
    ["an engine that did not answer", sdkError("D101", "unknown error while requesting data"), undefined],
    ["a lost engine inside", sdkError("D100", "unknown error", lost), undefined],
    ["something else", new Error("a bug"), undefined],
  ])("%s", (_, error, kind) => {
    expect(buildFault(error, service, "FROM x\n")?.kind).toBe(kind)
  })
})
