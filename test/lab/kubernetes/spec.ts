import { join } from "node:path"
import type { EngineContext } from "../../../engine/context.js"
import { hashText } from "../../../engine/files.js"
import { goBuild, goBuildPath, goReference } from "../../../engine/supply/go.js"
import { madeName } from "../../../engine/supply/make.js"
import { localImage } from "../../../engine/image/local.js"
import { archiveFolder, imageArchive } from "./archive.js"
import { kubernetesBuild, nodeBuild, traefikBuild } from "./builds.js"
import type { NodeSpec } from "./container.js"
import { clusterContent } from "./content.js"
import { gatewayContent } from "./gateway.js"
import { importedImages, make, nodeRecipe } from "./images.js"
import { portsOf } from "./ports.js"

/** Raised when the way in which the node's container is made changes. */
const layout = 1

/** Hash of everything that a lab is made of, known before anything is made. */
export async function specHash(context: EngineContext): Promise<string> {
  const parts = await Promise.all([
    madeName(context, nodeRecipe),
    goBuildPath(context.home, kubernetesBuild),
    goBuildPath(context.home, nodeBuild),
    goBuildPath(context.home, traefikBuild),
    clusterContent(),
    gatewayContent(portsOf(0)),
    ...Object.entries(importedImages).map(async ([name, recipe]) => `${name}=${await madeName(context, recipe)}`),
  ])
  return hashText([layout, ...parts].join("\n")).slice(0, 16)
}

/** Folder of Kubernetes' programs on the host; built unless it is there. */
export async function kubernetesPrograms(context: EngineContext): Promise<string> {
  return goBuild(context, toolchain(context), kubernetesBuild)
}

const toolchain = (context: EngineContext) => () => localImage(context, goReference).then((image) => image.name)

/** Folder with the definitions of the Gateway API; there once Traefik's image is. */
export async function gatewayDefinitions(context: EngineContext): Promise<string> {
  return join(await goBuild(context, toolchain(context), traefikBuild), "crds")
}

/** Makes what a node's container consists of: programs, images, the archive from which the node imports them. */
export async function makeNode(context: EngineContext, name: string, spec: string): Promise<NodeSpec> {
  const [image, kubernetes, own, images] = await Promise.all([
    make(context, nodeRecipe),
    kubernetesPrograms(context),
    goBuild(context, toolchain(context), nodeBuild),
    Promise.all(
      Object.entries(importedImages).map(async ([wanted, recipe]) => ({ wanted, made: await make(context, recipe) })),
    ),
  ])
  const archive = await imageArchive(
    context,
    images.map(({ made }) => made),
  )
  return {
    name,
    image,
    spec,
    binds: [`${kubernetes}:/opt/kubernetes:ro`, `${own}:/opt/lab:ro`, `${archiveFolder(context)}:/images:ro`],
    env: {
      IMAGES: `/images/${archive}`,
      TAGS: images.map(({ wanted, made }) => `${made}=${wanted}`).join(" "),
    },
  }
}
