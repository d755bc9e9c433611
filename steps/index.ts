/** What pipelines are composed of: one factory per step, and what they hand to each other. */
export { checkout } from "./checkout/index.js"
export { CodeReview, codeReview } from "./code-review/index.js"
export { deploy, rollout, type DeployWiring, type RolloutWiring } from "./deploy/index.js"
export { approvedBy, gate, verifyApproval, type Approvable, type GateWiring } from "./gate/index.js"
export { buildImage } from "./image/index.js"
export { migrate, type MigrateWiring } from "./migrate/index.js"
export { push } from "./push/index.js"
export { sonarqube } from "./sonarqube/index.js"
export { acceptanceTests, integrationTests, unitTests } from "./tests/index.js"
export { trivy } from "./trivy/index.js"
export {
  Approval,
  BuiltImage,
  Deployment,
  Migration,
  QualityGate,
  Release,
  Scan,
  Source,
  TestResult,
} from "./outputs.js"
export { ServiceDeclaration, type Service } from "./service.js"
export type { Settings } from "./settings.js"
export { sourceDir } from "./source.js"
