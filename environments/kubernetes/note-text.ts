import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib"
import type { Json } from "../../core/json.js"
import type { ConfigMap } from "./kinds.js"

/** Notes of a ConfigMap: its `data`, and its `binaryData` in base64. */
export interface NoteData {
  readonly data: Readonly<Record<string, string>>
  readonly binaryData: Readonly<Record<string, string>>
}

/** Up to here a note is text that a person can read with kubectl. Characters. */
const readable = 32_768
/** What a ConfigMap holds at most: https://kubernetes.io/docs/concepts/configuration/configmap/. Bytes. */
export const mostBytes = 1_048_576

const packedName = (name: string) => `${name}.br`

/**
 * Puts a note among the others, `undefined` takes it away. A large one (the history of a service with a large configuration) is
 * packed: its releases are nearly alike, and twenty of them take little more room than one. Pure.
 */
export function withNote({ data, binaryData }: NoteData, name: string, value: Json): NoteData {
  const { [name]: _, ...texts } = data
  const { [packedName(name)]: __, ...packed } = binaryData
  if (value === undefined) return { data: texts, binaryData: packed }
  const text = JSON.stringify(value)
  if (text.length <= readable) return { data: { ...texts, [name]: text }, binaryData: packed }
  const bytes = Buffer.from(text)
  const small = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 5,
      // A window in which all releases are, so that each is told by the one before it.
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  })
  return { data: texts, binaryData: { ...packed, [packedName(name)]: small.toString("base64") } }
}

/** The text of a note. What cannot be unpacked is answered as it is. Pure. */
export function noteText(map: Pick<ConfigMap, "data" | "binaryData">, name: string): string | undefined {
  const packed = map.binaryData?.[packedName(name)]
  if (packed === undefined) return map.data?.[name]
  try {
    return brotliDecompressSync(Buffer.from(packed, "base64")).toString("utf8")
  } catch {
    return packed
  }
}

/** As the API server counts: names are not, values in base64 are what they stand for. Bytes. */
export function sizeOf({ data, binaryData }: NoteData): number {
  const texts = Object.values(data).map((text) => Buffer.byteLength(text))
  const packed = Object.values(binaryData).map((text) => Buffer.byteLength(text, "base64"))
  return [...texts, ...packed].reduce((sum, bytes) => sum + bytes, 0)
}
