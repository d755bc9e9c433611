import { describe, expect, it } from "vitest"
import { dockerfileImages, rewriteDockerfile } from "../../../engine/image/dockerfile.js"

const resolve = (reference: string): Promise<string> => Promise.resolve(`R(${reference})`)

describe("rewriteDockerfile", () => {
  it.each<[string, string, string]>([
    ["a plain FROM", "FROM node:22\nRUN x\n", "FROM R(node:22)\nRUN x\n"],
    ["no line end", "FROM node:22", "FROM R(node:22)"],
    ["Windows line ends", "FROM node:22\r\nRUN x\r\n", "FROM R(node:22)\r\nRUN x\r\n"],
    ["lower case and AS", "from node:22 as build\nFROM build\n", "from R(node:22) as build\nFROM build\n"],
    ["stages in any case", "FROM a AS Build\nFROM bUILD AS x\nFROM x", "FROM R(a) AS Build\nFROM bUILD AS x\nFROM x"],
    [
      "--platform stays",
      "FROM --platform=$BUILDPLATFORM golang:1.26 AS b\n",
      "FROM --platform=$BUILDPLATFORM R(golang:1.26) AS b\n",
    ],
    ["scratch", "FROM scratch\n", "FROM scratch\n"],
    ["ARG default", "ARG V=22\nFROM node:${V}-slim\n", "ARG V=22\nFROM R(node:22-slim)\n"],
    ["ARG without braces", "ARG IMG=node:22\nFROM $IMG\n", "ARG IMG=node:22\nFROM R(node:22)\n"],
    ["quoted ARG", 'ARG V="22"\nFROM node:$V\n', 'ARG V="22"\nFROM R(node:22)\n'],
    ["ARG from an ARG", "ARG A=2\nARG B=2${A}\nFROM node:$B\n", "ARG A=2\nARG B=2${A}\nFROM R(node:22)\n"],
    ["default of a name", "FROM node:${V:-20}\n", "FROM R(node:20)\n"],
    ["instead of a name", "ARG D=y\nFROM node${D:+:dev}\n", "ARG D=y\nFROM R(node:dev)\n"],
    ["an ARG nobody set", "ARG V\nFROM node:$V\n", "ARG V\nFROM node:$V\n"],
    ["ARGs of a stage do not count", "FROM a\nARG V=1\nFROM b:${V}\n", "FROM R(a)\nARG V=1\nFROM b:${V}\n"],
    ["continued line", "FROM \\\n  node:22 \\\n  AS b\n", "FROM \\\n  R(node:22) \\\n  AS b\n"],
    ["comment inside", "FROM \\\n# why\n  node:22\n", "FROM \\\n# why\n  R(node:22)\n"],
    ["commented out", "# FROM x\nFROM a\n", "# FROM x\nFROM R(a)\n"],
    ["escape directive", "# escape=`\nFROM `\n node:22\n", "# escape=`\nFROM `\n R(node:22)\n"],
    [
      "COPY --from another image",
      "FROM a AS s\nCOPY --from=nginx:1 /a /b\nCOPY --from=s /a /b\nCOPY --from=0 /a /b\n",
      "FROM R(a) AS s\nCOPY --from=R(nginx:1) /a /b\nCOPY --from=s /a /b\nCOPY --from=0 /a /b\n",
    ],
    [
      "RUN --mount from another image",
      "FROM a\nRUN --mount=type=bind,from=busybox:1,target=/x true\n",
      "FROM R(a)\nRUN --mount=type=bind,from=R(busybox:1),target=/x true\n",
    ],
    [
      "heredoc",
      "FROM a\nRUN <<EOF\nFROM nowhere\nEOF\nFROM b\n",
      "FROM R(a)\nRUN <<EOF\nFROM nowhere\nEOF\nFROM R(b)\n",
    ],
    ["nothing at all", "", ""],
  ])("%s", async (_name, before, after) => {
    expect(await rewriteDockerfile(before, resolve)).toBe(after)
  })

  it("build arguments go before defaults", async () => {
    expect(await rewriteDockerfile("ARG V=22\nFROM node:$V\n", resolve, { V: "20" })).toBe(
      "ARG V=22\nFROM R(node:20)\n",
    )
  })

  it("takes an answer as it is", async () => {
    expect(await rewriteDockerfile("FROM a\n", () => Promise.resolve("x$&y$1"))).toBe("FROM x$&y$1\n")
  })

  it("asks once per image", async () => {
    const asked: string[] = []
    await rewriteDockerfile("FROM a\nFROM a\nCOPY --from=a / /\n", (reference) => {
      asked.push(reference)
      return resolve(reference)
    })
    expect(asked).toEqual(["a"])
  })

  it("lists the images", async () => {
    expect(await dockerfileImages("FROM a AS x\nFROM x\nCOPY --from=b / /")).toEqual(["a", "b"])
  })
})
