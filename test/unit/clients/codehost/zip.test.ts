import { expect, it } from "vitest"
import { fileInZip } from "../../../../clients/codehost/github/zip.js"
import { zip } from "../../../fakes/github.js"

const archive = zip({ "a/stored.txt": "stored", "b.txt": "packed ".repeat(100) })

it("finds stored and packed files, also where the archive left out folders", () => {
  expect(fileInZip(archive, "a/stored.txt")?.toString()).toBe("stored")
  expect(fileInZip(archive, ".gantry/ci/b.txt")?.toString()).toBe("packed ".repeat(100))
  expect(fileInZip(archive, "c.txt")).toBeUndefined()
})

it("refuses what is no archive, is damaged, or claims to be a giant", () => {
  expect(() => fileInZip(Buffer.from("<html>"), "a")).toThrow("no ZIP archive")
  const broken = Buffer.from(archive)
  broken.write("XX", archive.indexOf(Buffer.from("PK\x01\x02", "latin1")))
  expect(() => fileInZip(broken, "zzz")).toThrow("damaged")
  const giant = Buffer.from(archive)
  giant.writeUInt32LE(0xfffffff0, giant.indexOf(Buffer.from("PK\x01\x02", "latin1")) + 24)
  expect(() => fileInZip(giant, "a/stored.txt")).toThrow("bytes")
})
