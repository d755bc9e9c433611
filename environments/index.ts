/**
 * Public face of TEST, UAT and PROD: what an environment is, what runs in it, and how a release gets there. The rest of
 * this folder is private to it: deployment/ brings a release there and back, by strategies/ that move the traffic and
 * analysis/ that judges it; migrations/ come before; docker/ and kubernetes/ are the targets, among which targets/ chooses
 * by an environment's settings; views/ are for those who only look.
 */
export { configFiles, configProfile } from "./config-profile.js"
export { compareEnvironments, type EnvironmentDifference } from "./views/compare.js"
export { deployRelease } from "./deployment/deploy.js"
export type { Deployed, DeployOptions } from "./deployment/deployment.js"
export { bringDependencies, declaresDependencies } from "./targets/dependencies.js"
export { dependenciesName } from "./kubernetes/names.js"
export { describeEnvironments, removeEnvironments, type EnvironmentService } from "./views/describe.js"
export { describeEnvironment, type EnvironmentDetail, type ServiceDetail } from "./views/detail.js"
export type { Drift } from "./views/drift.js"
export { dockerTarget, type DockerTargetOptions } from "./docker/target.js"
export { developmentName, developmentOnly, withDevelopment } from "./development.js"
export {
  environment,
  EnvironmentSettings,
  Environments,
  targetNames,
  type Environment,
  type EnvironmentInput,
  type TargetName,
} from "./environment.js"
export { readHistory, type HistoryEntry } from "./history.js"
export { findMigration, migrate, type Migrated } from "./migrations/migrate.js"
export type { MigrateOptions, MigrationSpec } from "./migrations/spec.js"
export { readMigrations, type MigrationEntry } from "./migrations/journal.js"
export { settleMigration } from "./migrations/settle.js"
export { podsOf } from "./targets/pods-of.js"
export { placeOf, type Place, type Project } from "./places.js"
export { releaseKey, releaseName, releaseSpec, type ReleaseSpec } from "./release.js"
export type { RollingStrategy, Strategy } from "./strategies/settings.js"
export type { Instance, Target } from "./target.js"
export { balancerImage } from "./docker/balancer-container.js"
export { databaseImage } from "./docker/database.js"
export { runsAlone } from "./deployment/whole.js"
export { hasImageItself } from "./targets/own-image.js"
export { checkCluster, clusterOf, clustersOf, type ClusterName } from "./targets/clusters.js"
export { deployedBy, onTargets, placeEvidence, placeKey, placeText, targetsOf } from "./targets/where.js"
export { chooseRelease, migratedSince, rollBack, type Rollback } from "./deployment/rollback.js"
export { unfinishedRelease } from "./deployment/unfinished.js"
export { tidy } from "./deployment/tidy.js"
export type { ClusterDetail, DependencyState, View } from "./views/view.js"
export { viewOf } from "./targets/view-of.js"
export { memoryOf } from "./targets/memory-of.js"
export type { LockHolder, Memory, Notes } from "./memory.js"
export { ownObjects } from "./targets/own-of.js"
export type { OwnObjects } from "./kubernetes/own/rendered.js"
export { targetOf, type TargetOptions } from "./targets/target-of.js"
export { readRollbackOrder, writeRollbackOrder, type RollbackOrder } from "./deployment/orders.js"
export { collectSamples } from "./strategies/samples.js"
export {
  allow,
  readKept,
  readRefusals,
  readRollout,
  writeDecision,
  type Kept,
  type Refusal,
  type RolloutState,
} from "./strategies/state.js"
export { keepsPrometheus, prometheusImage } from "./prometheus.js"
export { analyse } from "./analysis/analyse.js"
export { withMetrics } from "./analysis/rules.js"
export { verdictText } from "./analysis/text.js"
export type { Comparison, Judgement, Measure, MetricsSource, Verdict } from "./analysis/verdict.js"
