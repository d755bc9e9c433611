/** A container image's name, taken apart as Docker does (distribution/reference). */
export interface Reference {
  /** "docker.io", "harbor.example:8443" */
  readonly registry: string
  /** "library/haproxy" */
  readonly repository: string
  readonly tag: string | undefined
  /** "sha256:…" */
  readonly digest: string | undefined
}

const shape =
  /^(?<name>[^@:]+(?::\d+(?=\/))?[^@:]*)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>[a-z0-9]+:[a-f0-9]{32,}))?$/

/** Takes a reference apart; "haproxy" is docker.io/library/haproxy:latest. `undefined` when it is none. */
export function parseReference(text: string): Reference | undefined {
  const groups = shape.exec(text)?.groups
  const name = groups?.["name"]
  if (name === undefined || /\s/.test(name) || name.startsWith("/") || name.endsWith("/")) return undefined
  const slash = name.indexOf("/")
  const first = slash < 0 ? "" : name.slice(0, slash)
  const hasRegistry = first.includes(".") || first.includes(":") || first === "localhost"
  const registry = hasRegistry ? (first === "index.docker.io" ? "docker.io" : first) : "docker.io"
  const path = hasRegistry ? name.slice(slash + 1) : name
  const repository = registry === "docker.io" && !path.includes("/") ? `library/${path}` : path
  if (!/^[a-z0-9]+(?:(?:[._]|__|-+|\/)[a-z0-9]+)*$/.test(repository)) return undefined
  const digest = groups?.["digest"]
  return { registry, repository, tag: groups?.["tag"] ?? (digest === undefined ? "latest" : undefined), digest }
}

/** The full form: "docker.io/library/haproxy:3.0", with "@sha256:…" when there is a digest. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`
  return `${reference.registry}/${reference.repository}${tag}${digest}`
}

/** The same image at `digest`, without the tag: Docker Engine 20.10 and Dagger both take this form. */
export function atDigest(reference: Reference, digest: string): string {
  return formatReference({ ...reference, tag: undefined, digest })
}

/**
 * Rewrites a reference by the configured mirrors: the longest key that is its registry, or a folder of its full name,
 * is replaced. `undefined` when none applies.
 */
export function applyMirror(reference: Reference, mirrors: Readonly<Record<string, string>>): Reference | undefined {
  const name = `${reference.registry}/${reference.repository}`
  const key = Object.keys(mirrors)
    .filter((prefix) => name === prefix || name.startsWith(`${prefix.replace(/\/+$/, "")}/`))
    .sort((a, b) => b.length - a.length)[0]
  if (key === undefined) return undefined
  const target = (mirrors[key] ?? "").replace(/^https?:\/\//, "").replace(/\/+$/, "")
  const rest = name.slice(key.replace(/\/+$/, "").length)
  const parsed = parseReference(`${target}${rest}`)
  return parsed === undefined ? undefined : { ...parsed, tag: reference.tag, digest: reference.digest }
}
