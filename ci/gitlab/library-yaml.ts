import { Document, isMap, isScalar, YAMLSeq, type Scalar, type YAMLMap } from "yaml"

/** Lists that read best on one line. */
export const inline: ReadonlySet<string> = new Set(["paths", "exclude", "exit_codes", "reference", "files", "extends"])
/** Length of a text from which on such a list reads better in several lines. */
export const inlineText = 60

const options = { lineWidth: 0, flowCollectionPadding: false } as const

/** Entries of GitLab's configuration as YAML: an empty line between them, short lists in a line, nothing folded. */
export function libraryYaml(entries: Readonly<Record<string, unknown>>): string {
  const document = new Document(entries, { aliasDuplicateObjects: false })
  layOut(document.contents)
  if (isMap(document.contents)) {
    document.contents.items.forEach((pair, i) => {
      if (i > 0 && isScalar(pair.key)) pair.key.spaceBefore = true
    })
  }
  return document.toString(options)
}

/** Where a text stands: behind a key or a dash, as a key, and both of these in what stands on one line. */
export type Place = "value" | "key" | "inline" | "inlineKey"

/** A text as it stands there; quoted where it has to be. */
export function libraryText(text: string, place: Place): string {
  if (place === "key") return new Document({ [text]: 1 }).toString(options).slice(0, -": 1\n".length)
  if (place === "value") return new Document({ k: text }).toString(options).slice("k: ".length, -1)
  const list = new Document(place === "inline" ? [text] : [{ [text]: 1 }])
  if (list.contents instanceof YAMLSeq) list.contents.flow = true
  const written = list.toString(options)
  return place === "inline" ? written.slice("[".length, -"]\n".length) : written.slice("[{".length, -": 1}]\n".length)
}

function referenceOf(map: YAMLMap): YAMLSeq | undefined {
  const reference = map.get("reference")
  if (!(reference instanceof YAMLSeq)) return undefined
  const tagged = new YAMLSeq()
  tagged.items = reference.items as Scalar[]
  tagged.flow = true
  tagged.tag = "!reference"
  return tagged
}

/** By hand: the library's `visit` copies the path of every node. */
function layOut(node: unknown): void {
  if (isMap(node)) {
    for (const pair of node.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : ""
      if (isMap(pair.value)) pair.value = referenceOf(pair.value) ?? pair.value
      else if (pair.value instanceof YAMLSeq && inline.has(key)) {
        pair.value.flow = !pair.value.items.some((item) => isScalar(item) && String(item.value).length > inlineText)
      }
      layOut(pair.value)
    }
  } else if (node instanceof YAMLSeq) {
    node.items = node.items.map((item) => (isMap(item) ? (referenceOf(item) ?? item) : item))
    for (const item of node.items) {
      // A need fits into a line.
      if (isMap(item) && item.has("job") && item.has("artifacts")) item.flow = true
      layOut(item)
    }
  }
}
