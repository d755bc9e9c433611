import { readFileSync } from "node:fs"

type Schema = Readonly<Record<string, unknown>>

/**
 * The smallest value that a schema of GitHub's description allows: its objects have dozens of members that nobody reads and
 * that have to be there.
 */
export function sampler(): (name: string) => Record<string, unknown> {
  const file = new URL("./descriptions/github.json", import.meta.url)
  const { schemas } = JSON.parse(readFileSync(file, "utf8")) as { readonly schemas: Readonly<Record<string, Schema>> }
  const sample = (schema: Schema, depth: number): unknown => {
    const {
      $ref,
      type,
      enum: values,
      anyOf,
      oneOf,
      allOf,
      properties,
      required,
      items: _,
    } = schema as {
      readonly $ref?: string
      readonly type?: string | readonly string[]
      readonly enum?: readonly unknown[]
      readonly anyOf?: readonly Schema[]
      readonly oneOf?: readonly Schema[]
      readonly allOf?: readonly Schema[]
      readonly properties?: Readonly<Record<string, Schema>>
      readonly required?: readonly string[]
      readonly items?: Schema
    }
    if (Array.isArray(type) && type.includes("null")) return null
    const choices = anyOf ?? oneOf
    if (choices?.some((choice) => choice["type"] === "null") === true) return null
    if ($ref !== undefined) return sample(schemas[$ref.split("/").at(-1) ?? ""] ?? {}, depth + 1)
    if (allOf !== undefined) return Object.assign({}, ...allOf.map((part) => sample(part, depth + 1))) as object
    if (choices?.[0] !== undefined) return sample(choices[0], depth + 1)
    if (values !== undefined) return values[0]
    switch (type) {
      case "string":
        return "https://github.example/x"
      case "integer":
      case "number":
        return 1
      case "boolean":
        return false
      case "array":
        return []
      default: {
        const names = required ?? []
        return Object.fromEntries(names.map((name) => [name, sample(properties?.[name] ?? {}, depth + 1)]))
      }
    }
  }
  return (name) => sample(schemas[name] ?? {}, 0) as Record<string, unknown>
}
