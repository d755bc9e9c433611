/**
 * Public face of TEST, UAT and PROD: what an environment is, what runs in it, and how a release gets there. The rest of
 * this folder is private to it.
 */
export { configFiles, configProfile } from "./config-profile.js"
export { compareEnvironments, type EnvironmentDifference } from "./compare.js"
export { deployRelease } from "./deploy.js"
export type { Deployed, DeployOptions } from "./deployment.js"
export { describeEnvironments, removeEnvironments, type EnvironmentService } from "./describe.js"
export { describeEnvironment, type EnvironmentDetail, type ServiceDetail } from "./detail.js"
export type { Drift } from "./docker/drift.js"
export { dockerTarget, type DockerTargetOptions } from "./docker/target.js"
export { developmentName, developmentOnly, withDevelopment } from "./development.js"
export {
  environment,
  EnvironmentSettings,
  Environments,
  type Environment,
  type EnvironmentInput,
} from "./environment.js"
export { readHistory, type HistoryEntry } from "./history.js"
export { findMigration, migrate, type Migrated } from "./migrations/migrate.js"
export type { MigrateOptions, MigrationSpec } from "./migrations/spec.js"
export { readMigrations, type MigrationEntry } from "./migrations/journal.js"
export { settleMigration } from "./migrations/settle.js"
export { placeOf, type Place, type Project } from "./places.js"
export { releaseKey, releaseName, releaseSpec, type ReleaseSpec } from "./release.js"
export type { RollingStrategy, Strategy } from "./strategies/settings.js"
export type { Instance, Target } from "./target.js"
export { balancerImage } from "./docker/balancer-container.js"
export { databaseImage } from "./docker/database.js"
export { runsAlone } from "./whole.js"
export { chooseRelease, migratedSince, rollBack, type Rollback } from "./rollback.js"
export { unfinishedRelease } from "./unfinished.js"
export { deployLock } from "./alone.js"
export { tidy } from "./tidy.js"
export { notesOf } from "./notes.js"
export { readRollbackOrder, writeRollbackOrder, type RollbackOrder } from "./orders.js"
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
export { keepsPrometheus, prometheusImage } from "./docker/prometheus.js"
export { analyse } from "./analysis/analyse.js"
export { withMetrics } from "./analysis/rules.js"
export { verdictText } from "./analysis/text.js"
export type { Comparison, Judgement, Measure, MetricsSource, Verdict } from "./analysis/verdict.js"
