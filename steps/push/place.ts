import { registryAddress, type EngineConfig } from "../../engine/config.js"
import type { Source } from "../outputs.js"

/** Where the images of a project go. */
export interface Place {
  /** Base address of the registry's API. */
  readonly url: string
  /** As it stands in image references. */
  readonly host: string
  /** `<project>/<service>` */
  readonly repository: string
  readonly username: string | undefined
  /** Name of the secret that holds the password or the robot's token. */
  readonly passwordSecret: string | undefined
  /** The stack's own registry, which has to run. */
  readonly embedded: boolean
}

/** The configured Harbor, else the stack's own registry. */
export function placeOf(engine: EngineConfig, project: string, service: string): Place {
  const { harbor } = engine.registry
  if (harbor === undefined) {
    const host = registryAddress(engine)
    return {
      url: `http://${host}`,
      host,
      repository: `${project}/${service}`,
      username: undefined,
      passwordSecret: undefined,
      embedded: true,
    }
  }
  const url = new URL(harbor.url)
  return {
    url: url.origin,
    host: url.host,
    repository: `${harbor.project}/${service}`,
    username: harbor.username,
    passwordSecret: harbor.passwordEnv,
    embedded: false,
  }
}

/** One tag a commit, never moved; a dirty work tree is named after its tree, which no commit vouches for. */
export function tagOf(source: Pick<Source, "commit" | "tree" | "dirty">): string {
  return source.dirty ? `dirty-${source.tree}` : `sha-${source.commit}`
}
