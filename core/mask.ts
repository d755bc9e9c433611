import { encodings } from "./encodings.js"

/**
 * Masking of secrets in everything that leaves a step. Beside the plain value its encodings are masked (encodings.ts), and
 * also a value that is split over chunks of a stream. Not masked: values of less than 4 characters, a value that somebody
 * broke up or transformed on purpose, and base64 that a tool wrapped into lines in the middle of the value.
 */
export interface Masker {
  /** A further value, masked from now on, in streams that are open as well. */
  add(value: string): void
  text(value: string): string
  /** Masks every string inside a JSON value, names of members too. Members called one of `keep` stay as they are. */
  json<T>(value: T, keep?: ReadonlySet<string>): T
  /** For output that comes in pieces: holds back only what may be the start of a secret. */
  stream(): { push(chunk: string): string; flush(): string }
}

const mask = "***"

/** Values below this length would mask ordinary words: a secret of 3 characters is none. */
const shortest = 4

interface Span {
  readonly start: number
  end: number
}

export function createMasker(values: Iterable<string>): Masker {
  const secrets = new Set<string>()
  let pattern: RegExp | undefined
  let longest = 0
  let byFirst: ReadonlyMap<string, readonly string[]> = new Map()

  const compile = () => {
    const forms = [...new Set([...secrets].flatMap(encodings))]
      .filter((form) => form.length >= shortest)
      .sort((a, b) => b.length - a.length)
    if (forms.length === 0) return
    pattern = new RegExp(forms.map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "g")
    longest = forms[0]?.length ?? 0
    byFirst = groupByFirst(forms)
  }
  for (const value of values) secrets.add(value)
  compile()

  /** Where secrets stand, in order. Ones that overlap make one span, so that no end of the second remains. */
  const spans = (text: string): Span[] => {
    if (pattern === undefined) return []
    const found: Span[] = []
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const end = match.index + match[0].length
      const top = found[found.length - 1]
      if (top !== undefined && match.index < top.end) top.end = Math.max(top.end, end)
      else found.push({ start: match.index, end })
      pattern.lastIndex = match.index + 1
    }
    return found
  }
  const text = (value: string) => cover(value, spans(value))

  /** Start of the longest end of a text that begins some secret. */
  const heldBackFrom = (all: string): number => {
    for (let start = Math.max(0, all.length - longest + 1); start < all.length; start++) {
      const end = all.slice(start)
      for (const form of byFirst.get(all.charAt(start)) ?? []) {
        if (form.length > end.length && form.startsWith(end)) return start
      }
    }
    return all.length
  }
  return {
    add(value) {
      if (secrets.has(value)) return
      secrets.add(value)
      compile()
    },
    text,
    json: (value, keep) => (pattern === undefined ? value : maskJson(value, text, keep)),
    stream() {
      let rest = ""
      return {
        push(chunk) {
          const all = rest + chunk
          const found = spans(all)
          let cut = heldBackFrom(all)
          // A secret that reaches into what is held back may be the first part of a longer one: it waits as well.
          for (const span of found) if (span.start < cut && span.end > cut) cut = span.start
          rest = all.slice(cut)
          return cover(
            all.slice(0, cut),
            found.filter((span) => span.end <= cut),
          )
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

function cover(text: string, spans: readonly Span[]): string {
  if (spans.length === 0) return text
  let covered = ""
  let last = 0
  for (const { start, end } of spans) {
    covered += text.slice(last, start) + mask
    last = end
  }
  return covered + text.slice(last)
}

function maskJson<T>(value: T, text: (s: string) => string, keep: ReadonlySet<string> | undefined): T {
  if (typeof value === "string") return text(value) as T
  if (Array.isArray(value)) return value.map((member) => maskJson(member as unknown, text, keep)) as T
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) =>
        keep?.has(name) === true ? [name, member] : [text(name), maskJson(member as unknown, text, keep)],
      ),
    ) as T
  }
  return value
}

function groupByFirst(forms: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>()
  for (const form of forms) {
    const group = groups.get(form.charAt(0))
    if (group === undefined) groups.set(form.charAt(0), [form])
    else group.push(form)
  }
  return groups
}
