import { readdir, readFile, stat } from "node:fs/promises"
import { isAbsolute, join, relative, resolve } from "node:path"
import { fault } from "../../../core/errors.js"
import type { KubernetesObject } from "../object.js"
import { helmTemplate, withScratch, type RenderOptions, type RenderTools } from "../render.js"
import { parseObjects } from "../yaml.js"
import { withinNamespace } from "./bounds.js"
import { setDigests, type ReleaseImage } from "./images.js"
import type { OwnManifests } from "./settings.js"

/** Where files are, and whose they are, for messages. */
export interface Sources {
  readonly service: string
  /** Absolute: the project. Nothing outside of it is read. */
  readonly root: string
  /** Absolute: the service's folder, from which the paths count. */
  readonly folder: string
}

export interface OwnRelease extends Sources {
  readonly image: ReleaseImage
  readonly manifests: OwnManifests
}

/**
 * The objects that a service brings itself, with the release's image by digest: nothing else is changed in them, but that
 * they are in the environment's namespace.
 * @throws OWN-PATH, OWN-NO-IMAGE, OWN-BEYOND-NAMESPACE, OWN-HOOK, OWN-KUSTOMIZE, KUBERNETES-YAML, CHART-RENDER
 */
export async function renderOwn(
  tools: RenderTools,
  release: OwnRelease,
  options: RenderOptions,
): Promise<readonly KubernetesObject[]> {
  const { service, image } = release
  const rendered = withinNamespace(await readObjects(tools, release, options), options.namespace, service)
  const set = rendered.map((object) => setDigests(object, image))
  if (set.some(({ changed }) => changed > 0)) return set.map(({ object }) => object)
  throw fault({
    code: "OWN-NO-IMAGE",
    kind: "usage",
    message: `${service}: none of its own objects runs its image`,
    reason: `No container has the image ${image.repository}, whatever its tag.`,
    hint: `Write it so in the manifests, or by the end of its path: ${image.repository.split("/").slice(1).join("/")}.`,
  })
}

/**
 * The objects of a chart, of manifests or of a Kustomize folder, as they are written.
 * @throws OWN-PATH, OWN-KUSTOMIZE, KUBERNETES-YAML, CHART-RENDER
 */
export async function readObjects(
  tools: RenderTools,
  from: Sources & { readonly manifests: OwnManifests },
  options: RenderOptions,
): Promise<readonly KubernetesObject[]> {
  const { manifests, service } = from
  const path = await pathInProject(from, manifests.path)
  switch (manifests.kind) {
    case "chart": {
      const values = await Promise.all(manifests.values.map((file) => pathInProject(from, file)))
      return helmTemplate(tools, {
        chart: path,
        release: service,
        values,
        options,
        folders: [from.root],
        flags: ["--skip-tests"],
      })
    }
    case "manifests":
      return readManifests(path)
    case "kustomize":
      return kustomize(tools, from, path)
  }
}

async function readManifests(path: string): Promise<readonly KubernetesObject[]> {
  const files = (await stat(path)).isDirectory()
    ? (await readdir(path))
        .filter((name) => /\.(ya?ml|json)$/.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path]
  const texts = await Promise.all(files.map(async (file) => parseObjects(await readFile(file, "utf8"), file)))
  return texts.flat()
}

async function kustomize(tools: RenderTools, { service, root }: Sources, path: string) {
  const tool = await tools.kustomize()
  return withScratch(async (scratch) => {
    const ran = await tool.run(["build", path], { scratch, folders: [root], signal: tools.signal })
    if (ran.exitCode !== 0) {
      throw fault({
        code: "OWN-KUSTOMIZE",
        kind: "usage",
        message: `${service}: ${tool.name} cannot build ${path}`,
        reason: ran.stderr.trim().slice(-4000),
        hint: `Try it by hand: kustomize build ${path}. Bases from the network are not fetched: keep them in the project.`,
      })
    }
    return parseObjects(ran.stdout, path)
  })
}

/** The absolute path of something of the service. @throws OWN-PATH when it is not there, or outside of the project */
export async function pathInProject({ service, root, folder }: Sources, path: string): Promise<string> {
  const absolute = resolve(folder, path)
  const within = relative(root, absolute)
  const outside = within.startsWith("..") || isAbsolute(within)
  const there =
    !outside &&
    (await stat(absolute).then(
      () => true,
      () => false,
    ))
  if (there) return absolute
  throw fault({
    code: "OWN-PATH",
    kind: "usage",
    message: `${service}: ${path} ${outside ? "is outside of the project" : "does not exist"}`,
    reason: `It was looked for at ${absolute}.`,
    hint: "Paths count from the service's folder.",
  })
}
