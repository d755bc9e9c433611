import type { Place } from "../clients/codehost/index.js"
import type { EngineConfig } from "../engine/config.js"
import type { Approver } from "../approvals/index.js"
import type { Environment, TargetName } from "../environments/environment.js"
import type { CiSettings } from "./ci.js"
import type { ScanPolicy } from "./trivy/policy.js"
import type { Service } from "./service.js"

/** What every step factory is given: the validated configuration of the project, as data. */
export interface Settings {
  /** Name of the project: Harbor project, prefix of SonarQube keys. */
  readonly project: string
  /** Absolute folder of the project. */
  readonly root: string
  readonly engine: EngineConfig
  readonly services: readonly Service[]
  readonly environments: Readonly<Record<string, Environment>>
  /** The target that was asked for in place of the configured ones: of environments that the configuration does not name. */
  readonly target?: TargetName | undefined
  readonly scan: ScanPolicy
  /** Folder of the config repository, relative to the root. */
  readonly configRepo: string | undefined
  readonly approvers: readonly Approver[]
  readonly ci: CiSettings
  /** Where the project's code is; undefined where neither the configuration nor CI nor git's origin says it. */
  readonly codeHost?: Place | undefined
}
