import type { KubernetesObject } from "../object.js"

/** An image as a release has it. */
export interface ReleaseImage {
  /** host/project/service */
  readonly repository: string
  readonly digest: string
}

/**
 * Puts the release's digest into every container that runs its image, wherever in an object containers are, also in kinds
 * that Kubernetes does not know. Nothing else is changed.
 * @returns the object, and how many containers it was
 */
export function setDigests(
  object: KubernetesObject,
  image: ReleaseImage,
): { readonly object: KubernetesObject; readonly changed: number } {
  let changed = 0
  const visit = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) {
      const containers = containerLists.has(key)
      return value.map((item: unknown) => (containers ? container(item) : visit(item, "")))
    }
    if (!isRecord(value)) return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, visit(inner, name)]))
  }
  const container = (value: unknown): unknown => {
    if (!isRecord(value) || typeof value["image"] !== "string" || !isImageOf(value["image"], image)) return value
    changed++
    return { ...value, image: `${image.repository}@${image.digest}` }
  }
  return { object: visit(object, "") as KubernetesObject, changed }
}

const containerLists = new Set(["containers", "initContainers", "ephemeralContainers"])

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Whether a reference names the release's image, whatever its tag: by the whole repository, or by the end of its path where
 * no registry is said ("shop/catalog", "catalog"): that is how manifests are written which run in several places.
 */
export function isImageOf(reference: string, image: ReleaseImage): boolean {
  const name = reference.replace(/@.*$/, "").replace(/:[^/:]*$/, "")
  if (name === image.repository) return true
  const [first = ""] = name.split("/")
  const hasHost = name.includes("/") && (/[.:]/.test(first) || first === "localhost")
  return !hasHost && image.repository.endsWith(`/${name}`)
}
