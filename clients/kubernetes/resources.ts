import { fault } from "../../core/errors.js"

/** What the API calls a kind. */
export interface Resource {
  /** "deployments" */
  readonly name: string
  readonly namespaced: boolean
  /** "deployments.apps": as RBAC and kubectl have it. */
  readonly full: string
}

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[]
}

export interface Resources {
  /** @throws K8S-KIND when the cluster does not serve it */
  find(apiVersion: string, kind: string): Promise<Resource>
  serves(apiVersion: string, kind: string): Promise<boolean>
}

/** @param ask the list of an API version; undefined when there is none */
export function resourcesOf(ask: (path: string) => Promise<unknown>): Resources {
  const known = new Map<string, Promise<ResourceList | undefined>>()
  const listOf = (apiVersion: string): Promise<ResourceList | undefined> => {
    const found = known.get(apiVersion)
    if (found !== undefined) return found
    const asked = ask(groupPath(apiVersion)) as Promise<ResourceList | undefined>
    known.set(apiVersion, asked)
    // What could not be found out, or is not there yet, is asked again the next time.
    asked.then(
      (list) => list === undefined && known.delete(apiVersion),
      () => known.delete(apiVersion),
    )
    return asked
  }
  const look = async (apiVersion: string, kind: string): Promise<Resource | undefined> => {
    const found = (await listOf(apiVersion))?.resources?.find((r) => r.kind === kind && !r.name.includes("/"))
    if (found === undefined) return undefined
    const group = apiVersion.includes("/") ? `.${apiVersion.split("/")[0] ?? ""}` : ""
    return { name: found.name, namespaced: found.namespaced, full: `${found.name}${group}` }
  }
  return {
    serves: async (apiVersion, kind) => (await look(apiVersion, kind)) !== undefined,
    async find(apiVersion, kind) {
      const found = await look(apiVersion, kind)
      if (found !== undefined) return found
      throw fault({
        code: "K8S-KIND",
        kind: "failed",
        message: `The cluster does not know ${kind} of ${apiVersion}`,
        reason: "Its definition (CRD) is not installed there, or not in this version.",
        hint: "Install what brings it, or leave it out.",
      })
    },
  }
}

export const groupPath = (apiVersion: string) => `/${apiVersion.includes("/") ? "apis" : "api"}/${apiVersion}`
