import type { Environment } from "../environment.js"
import { podTuning } from "../kubernetes/settings.js"
import type { ReleaseSpec } from "../release.js"

/** What of an environment's settings belongs to a release, because its instances are made with it. */
export function podsOf({ target, kubernetes }: Environment, service: string): ReleaseSpec["pods"] {
  return target === "kubernetes" ? podTuning(kubernetes, service) : undefined
}
