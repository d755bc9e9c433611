import { inflateRawSync } from "node:zlib"

/** Bytes that a file may have when it is unpacked: a small archive can claim to hold a giant. */
const largest = 50_000_000

/**
 * One file of a ZIP archive; undefined when it is not in there. A name counts also when the archive left out the folders
 * that all of its files share. (PKWARE APPNOTE 6.3.10, 4.3; neither encryption nor ZIP64.)
 * @throws Error when the bytes are no archive that this reads
 */
export function fileInZip(bytes: Buffer, path: string): Buffer | undefined {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]))
  if (end < 0) throw new Error("it is no ZIP archive")
  const entries = bytes.readUInt16LE(end + 10)
  let at = bytes.readUInt32LE(end + 16)
  for (let i = 0; i < entries; i++) {
    if (bytes.readUInt32LE(at) !== 0x02014b50) throw new Error("its directory is damaged")
    const [method, packed, size] = [
      bytes.readUInt16LE(at + 10),
      bytes.readUInt32LE(at + 20),
      bytes.readUInt32LE(at + 24),
    ]
    const [nameLength, extra, comment] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ]
    const name = bytes.toString("utf8", at + 46, at + 46 + nameLength)
    if (name === path || path.endsWith(`/${name}`)) {
      const local = bytes.readUInt32LE(at + 42)
      const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
      const data = bytes.subarray(from, from + packed)
      if (size > largest) throw new Error(`${name} has ${size} bytes`)
      if (method === 0) return data
      if (method === 8) return inflateRawSync(data, { maxOutputLength: largest })
      throw new Error(`${name} is packed in a way that is not read (${method})`)
    }
    at += 46 + nameLength + extra + comment
  }
  return undefined
}
