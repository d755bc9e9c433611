/**
 * Public face of TEST, UAT and PROD: what an environment is, what runs in it, and how a release gets there. The rest of
 * this folder is private to it.
 */
export { configFiles, configProfile } from "./config-profile.js"
export { deployRelease, runsWhole, type Deployed, type DeployOptions } from "./deploy.js"
export { describeEnvironments, removeEnvironments, type EnvironmentService } from "./describe.js"
export { dockerTarget, type DockerTargetOptions } from "./docker/target.js"
export {
  environment,
  EnvironmentSettings,
  Environments,
  type Environment,
  type EnvironmentInput,
} from "./environment.js"
export { readHistory, type HistoryEntry } from "./history.js"
export { placeOf, type Place, type Project } from "./places.js"
export { releaseKey, releaseName, releaseSpec, type ReleaseSpec } from "./release.js"
export type { RollingStrategy, Strategy } from "./strategies/settings.js"
export type { Instance, Target } from "./target.js"
export { balancerImage } from "./docker/balancer-container.js"
export { databaseImage } from "./docker/database.js"
export { keepsPrometheus, prometheusImage } from "./docker/prometheus.js"
export { analyse } from "./analysis/analyse.js"
export { withMetrics } from "./analysis/rules.js"
export { verdictText } from "./analysis/text.js"
export type { Comparison, Judgement, Measure, MetricsSource, Verdict } from "./analysis/verdict.js"
