import { readFileSync } from "node:fs"
import { Ajv, type ValidateFunction } from "ajv"

interface Operation {
  readonly method: string
  readonly path: string
  readonly parameters: readonly { readonly name: string; readonly required: boolean; readonly schema: object }[]
  readonly body?: object
  readonly answers: Readonly<Record<string, object>>
}

/** Holds requests and answers against a published API description (test/fakes/descriptions). */
export interface Description {
  /** What the description does not allow of an exchange; empty when all is well. */
  problems(exchange: Exchange): readonly string[]
}

export interface Exchange {
  readonly method: string
  readonly url: URL
  /** Part of the path before the description's own: "/gitlab", "/api/v3". */
  readonly base: string
  /** Undefined: none. */
  readonly body: unknown
  readonly status: number
  /** Undefined where it is no JSON. */
  readonly answer: unknown
}

/** @param name of a file in test/fakes/descriptions, without its ending */
export function description(name: "gitlab" | "github"): Description {
  const file = new URL(`./descriptions/${name}.json`, import.meta.url)
  const { operations, schemas } = JSON.parse(readFileSync(file, "utf8")) as {
    readonly operations: readonly Operation[]
    readonly schemas: object
  }
  const ajv = new Ajv({ strict: false, validateFormats: false, coerceTypes: false, allErrors: false })
  ajv.addSchema({ $id: "all", schemas })
  const lax = new Ajv({ strict: false, validateFormats: false, coerceTypes: true })
  const compiled = new Map<object, ValidateFunction>()
  const check = (schema: object, value: unknown, what: string, by = ajv): string[] => {
    const found =
      compiled.get(schema) ??
      by.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/schemas/', '"all#/schemas/')) as object)
    compiled.set(schema, found)
    if (found(value)) return []
    const [first] = found.errors ?? []
    return [
      `${what}${first?.instancePath ?? ""} ${first?.message ?? "is not as described"} ${JSON.stringify(first?.params)}`,
    ]
  }
  const patterns = operations.map((operation) => ({ operation, pattern: patternOf(operation.path) }))

  return {
    problems({ method, url, base, body, status, answer }) {
      const path = url.pathname.slice(base.length)
      const matches = patterns.filter(({ operation, pattern }) => operation.method === method && pattern.test(path))
      const [match] = matches.sort((a, b) => literals(b.operation.path) - literals(a.operation.path))
      if (match === undefined) return [`${method} ${path} is not described`]
      const { operation } = match
      const what = `${method} ${operation.path}:`
      const query = [...url.searchParams]
      return [
        ...query.flatMap(([name, value]) => {
          const known = operation.parameters.find((p) => p.name === name)
          if (known === undefined) return [`${what} query "${name}" is not described`]
          return check(known.schema, value, `${what} query ${name}`, lax)
        }),
        ...operation.parameters.flatMap(({ name, required }) =>
          required && !url.searchParams.has(name) ? [`${what} query "${name}" is missing`] : [],
        ),
        ...(operation.body === undefined
          ? body === undefined
            ? []
            : [`${what} it takes no body`]
          : check(operation.body, body, `${what} body`)),
        ...answerProblems(operation, status, answer, what, check),
      ]
    },
  }
}

function answerProblems(
  operation: Operation,
  status: number,
  answer: unknown,
  what: string,
  check: (schema: object, value: unknown, what: string) => string[],
): string[] {
  // What any server may say, and what proxies in front of it say.
  if (status === 429 || status >= 500) return []
  const schema = operation.answers[String(status)]
  if (schema === undefined) return status >= 400 ? [] : [`${what} answer ${status} is not described`]
  return Object.keys(schema).length === 0 || status >= 400 ? [] : check(schema, answer, `${what} answer ${status}`)
}

/** The last parameter of a path may be one of folders. */
function patternOf(path: string): RegExp {
  const text = path
    .replace(/[.+*?^$()|[\]\\]/g, "\\$&")
    .replace(/\{artifact_path\}/g, ".+")
    .replace(/\{[^}]+\}/g, "[^/]+")
  return new RegExp(`^${text}$`)
}

const literals = (path: string) => path.split("/").filter((part) => !part.startsWith("{")).length
