#!/usr/bin/env node
// Makes a reduced API description: only some operations, what of it can be checked (parameters, bodies, answers), and the
// schemas behind it as plain JSON Schema. The descriptions themselves have tens of megabytes.
//
//     node excerpt.mjs <openapi.json or .yaml> <operations.txt> <source, version and licence> > excerpt.json
import { readFileSync } from "node:fs"
import { parse } from "yaml"

const [file, list, source] = process.argv.slice(2)
const text = readFileSync(file, "utf8")
const api = file.endsWith(".json") ? JSON.parse(text) : parse(text, { maxAliasCount: -1 })
const wanted = readFileSync(list, "utf8")
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => line !== "")

const schemas = {}
const dropped = new Set(["description", "example", "examples", "title", "externalDocs", "deprecated", "default", "xml"])

/** OpenAPI 3.0's `nullable` as JSON Schema has it; references followed and kept once. */
function plain(schema) {
  if (Array.isArray(schema)) return schema.map(plain)
  if (typeof schema !== "object" || schema === null) return schema
  if (typeof schema.$ref === "string") {
    const name = schema.$ref.split("/").at(-1)
    if (!(name in schemas)) {
      schemas[name] = null
      schemas[name] = plain(resolve(schema.$ref))
    }
    const reference = { $ref: `#/schemas/${name}` }
    return schema.nullable === true ? { anyOf: [reference, { type: "null" }] } : reference
  }
  const result = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties") {
      result[key] = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
    } else if (!dropped.has(key) && !key.startsWith("x-") && key !== "nullable") result[key] = plain(value)
  }
  if (schema.nullable !== true) return result
  if (typeof result.type === "string") result.type = [result.type, "null"]
  if (Array.isArray(result.enum) && !result.enum.includes(null)) result.enum.push(null)
  return result.type === undefined && Object.keys(result).length > 0 ? { anyOf: [result, { type: "null" }] } : result
}

const resolve = (ref) =>
  ref
    .slice(2)
    .split("/")
    .reduce((at, key) => at[key], api)
const follow = (value) => (typeof value?.$ref === "string" ? resolve(value.$ref) : value)
const jsonOf = (content) => {
  const found = Object.entries(content ?? {}).find(([type]) => /json/.test(type))
  return found === undefined ? undefined : plain(found[1].schema)
}

const operations = wanted.map((line) => {
  const [method, path] = line.split(" ")
  const at = api.paths[path]
  const operation = at?.[method.toLowerCase()]
  if (operation === undefined) throw new Error(`the description has no ${line}`)
  const parameters = [...(at.parameters ?? []), ...(operation.parameters ?? [])].map(follow)
  const body = follow(operation.requestBody)
  return {
    method,
    path,
    parameters: parameters
      .filter((p) => p.in === "query")
      .map((p) => ({ name: p.name, required: p.required === true, schema: plain(p.schema ?? {}) })),
    ...(body === undefined ? {} : { body: jsonOf(body.content) ?? {} }),
    answers: Object.fromEntries(
      Object.entries(operation.responses).map(([status, answer]) => [status, jsonOf(follow(answer).content) ?? {}]),
    ),
  }
})
process.stdout.write(JSON.stringify({ source, operations, schemas }, null, 1) + "\n")
