import { isMap, isScalar, parseAllDocuments, type ScalarTag } from "yaml"
import { z } from "zod"
import { fault } from "../../core/errors.js"
import type { KubernetesObject } from "./object.js"

/**
 * Kubernetes' own reader (sigs.k8s.io/yaml) takes YAML 1.1's words for true and false and its octal numbers, and nothing
 * else of it: what kubectl would read as a number must be one here, too.
 */
const yes: ScalarTag = {
  tag: "tag:yaml.org,2002:bool",
  default: true,
  identify: () => false,
  test: /^(?:[Yy]es|YES|[Oo]n|ON|[Nn]o|NO|[Oo]ff|OFF)$/,
  resolve: (text) => /^(y|on$)/i.test(text),
}
const octal: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  identify: () => false,
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) => Number.parseInt(text, 8),
}

const Metadata = z.looseObject({ name: z.string().min(1), namespace: z.string().optional() })
const ObjectShape = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata: Metadata })
const List = z.looseObject({ apiVersion: z.literal("v1"), kind: z.literal("List"), items: z.array(z.unknown()) })

/**
 * Objects of a YAML stream, in its order; empty documents are left out, Lists are taken apart.
 * @param source what messages name: a file, "the chart"
 * @throws KUBERNETES-YAML with the line
 */
export function parseObjects(text: string, source: string): readonly KubernetesObject[] {
  const documents = parseAllDocuments(text, {
    customTags: (tags) => [yes, octal, ...tags],
    merge: true,
    uniqueKeys: true,
  })
  if (!Array.isArray(documents)) return []
  return documents.flatMap((document) => {
    const [error] = document.errors
    if (error !== undefined) throw broken(source, error.message)
    const { contents } = document
    if (contents === null || (isScalar(contents) && contents.value === null)) return []
    if (!isMap(contents)) throw broken(source, "a document is no object of the Kubernetes API")
    return objectsOf(document.toJS({ maxAliasCount: 100 }), source)
  })
}

function objectsOf(value: unknown, source: string): readonly KubernetesObject[] {
  const list = List.safeParse(value)
  if (list.success) return list.data.items.flatMap((item) => objectsOf(item, source))
  const object = ObjectShape.safeParse(value)
  if (!object.success) throw broken(source, `an object is not whole: ${z.prettifyError(object.error)}`)
  return [object.data as KubernetesObject]
}

function broken(source: string, reason: string) {
  return fault({
    code: "KUBERNETES-YAML",
    kind: "usage",
    message: `${source} cannot be read as objects of the Kubernetes API`,
    reason,
    hint: "`kubectl apply --dry-run=client -f` says the same of it; correct it there.",
  })
}
