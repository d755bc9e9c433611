import { knownPlace, openHost, type CodeHost, type HostOptions } from "../clients/codehost/index.js"
import { environmentSecrets } from "../core/secrets.js"
import type { Settings } from "./settings.js"

/** What a step needs to ask the code host. Everything has a default but the mask. */
export interface HostAccess extends HostOptions {
  /** Of the step's context: tokens are secrets from the moment they are read. */
  mask?(value: string): void
  readonly env?: Readonly<Record<string, string | undefined>>
}

const names = ["GITLAB_TOKEN", "CI_JOB_TOKEN", "GITHUB_TOKEN"] as const

/**
 * The code host of a project. Tokens are not among the secrets that a step declares, because the same step of the same
 * pipeline needs none on a laptop; a missing one is told when something is asked for that needs it.
 * @throws CODEHOST-WHERE, SECRET-FILE
 */
export async function codeHostOf(settings: Pick<Settings, "codeHost">, access: HostAccess): Promise<CodeHost> {
  const place = knownPlace(settings.codeHost)
  const source = environmentSecrets(access.env ?? process.env)
  const tokens: Partial<Record<(typeof names)[number], string | undefined>> = {}
  for (const name of names) {
    if (name.startsWith("GITHUB") !== (place.kind === "github")) continue
    tokens[name] = await source.read(name)
    if (tokens[name] !== undefined) access.mask?.(tokens[name])
  }
  const { signal, policy } = access
  return openHost(place, tokens, { signal, ...(policy === undefined ? {} : { policy }) })
}
