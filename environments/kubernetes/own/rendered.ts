import { hashJson } from "../../../core/json.js"
import type { EngineContext } from "../../../engine/context.js"
import type { Environment } from "../../environment.js"
import { imageOf } from "../manifest.js"
import { namespaceOf } from "../names.js"
import type { KubernetesObject } from "../object.js"
import { renderTools, type RenderTools } from "../render.js"
import { noWorkload } from "./refusals.js"
import { carriersOf } from "./marks.js"
import { renderOwn } from "./render.js"
import type { OwnManifests } from "./settings.js"

/** The objects of a release as its commit has them, and their identity. */
export interface OwnObjects {
  readonly hash: string
  readonly objects: readonly KubernetesObject[]
}

export interface OwnOrder {
  readonly engine: EngineContext
  readonly project: string
  readonly environment: Environment
  readonly service: string
  /** Image by digest. */
  readonly reference: string
  /** Absolute: the tree of the delivered commit. */
  readonly root: string
  /** Absolute: the service's folder in it. */
  readonly folder: string
  readonly signal?: AbortSignal | undefined
  readonly tools?: RenderTools
}

/** @throws OWN-…, KUBERNETES-YAML, CHART-RENDER, DEPLOY-DIGEST */
export async function renderedOwn(order: OwnOrder, manifests: OwnManifests): Promise<OwnObjects> {
  const { engine, project, environment, service, reference, root, folder, signal } = order
  const tools = order.tools ?? renderTools(engine.config, { progress: engine.progress, signal })
  const image = imageOf(reference)
  const options = { namespace: namespaceOf(project, environment) }
  const objects = await renderOwn(tools, { service, image, manifests, root, folder }, options)
  if (carriersOf(objects, { reference }).length === 0) throw noWorkload(service)
  return { hash: hashJson(objects), objects }
}
