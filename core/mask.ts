/**
 * Masking of secrets in everything that leaves a step. Beside the plain value its base64 forms (whatever it was embedded
 * in) and its URL and JSON encodings are masked, and also a value that is split over chunks of a stream.
 */
export interface Masker {
  text(value: string): string
  /** Masks every string inside a JSON value. */
  json<T>(value: T): T
  /** For output that comes in pieces: holds back only what may be the start of a secret. */
  stream(): { push(chunk: string): string; flush(): string }
}

const mask = "***"

/** Values below this length would mask ordinary words: a secret of 3 characters is none. */
const shortest = 4

export function createMasker(values: Iterable<string>): Masker {
  const forms = [...new Set([...values].flatMap(encodings))]
    .filter((form) => form.length >= shortest)
    .sort((a, b) => b.length - a.length)
  if (forms.length === 0) {
    return { text: (v) => v, json: (v) => v, stream: () => ({ push: (c) => c, flush: () => "" }) }
  }
  const pattern = new RegExp(forms.map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "g")
  const longest = forms[0]?.length ?? 0
  const text = (value: string) => value.replace(pattern, mask)

  /** Length of the longest end of `s` that begins some secret. */
  const heldBack = (s: string): number => {
    for (let length = Math.min(longest - 1, s.length); length > 0; length--) {
      const end = s.slice(-length)
      if (forms.some((form) => form.length > length && form.startsWith(end))) return length
    }
    return 0
  }
  return {
    text,
    json: (value) => maskJson(value, text),
    stream() {
      let rest = ""
      return {
        push(chunk) {
          const all = text(rest + chunk)
          const held = heldBack(all)
          rest = held === 0 ? "" : all.slice(-held)
          return held === 0 ? all : all.slice(0, -held)
        },
        flush() {
          const last = text(rest)
          rest = ""
          return last
        },
      }
    },
  }
}

function maskJson<T>(value: T, text: (s: string) => string): T {
  if (typeof value === "string") return text(value) as T
  if (Array.isArray(value)) return value.map((member) => maskJson(member as unknown, text)) as T
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, maskJson(v as unknown, text)])) as T
  }
  return value
}

function encodings(secret: string): string[] {
  const lines = secret.includes("\n") ? secret.split(/\r?\n/).filter((line) => line.length >= 8) : []
  const plain = [secret, secret.trim(), ...lines]
  return plain.flatMap((value) => [
    value,
    encodeURIComponent(value),
    new URLSearchParams([["", value]]).toString().slice(1),
    JSON.stringify(value).slice(1, -1),
    ...base64Forms(value),
  ])
}

/**
 * The base64 text of a value depends on how many bytes stand before it: three alignments. The first and last characters
 * mix with the neighbours, so only the stable middle is matched.
 */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value)
  if (bytes.length < 6) return [bytes.toString("base64"), bytes.toString("base64url")]
  return [0, 1, 2].flatMap((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "")
    const start = offset === 0 ? 0 : offset + 1
    const whole = (offset + bytes.length) % 3 === 0
    const middle = padded.slice(start, whole ? undefined : -1)
    return [middle, middle.replaceAll("+", "-").replaceAll("/", "_")]
  })
}
