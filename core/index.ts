/** What pipelines and steps of your own are written with. */
export {
  step,
  type AnyStep,
  type Context,
  type MaybeStep,
  type RunInfo,
  type Step,
  type StepDefinition,
} from "./step.js"
export { pipeline, type Pipeline } from "./pipeline.js"
export { allowFailure, ensure, retry, timeout } from "./decorators.js"
export {
  all,
  any,
  branch,
  changes,
  clean,
  mergeRequest,
  schedule,
  tag,
  type Condition,
  type Facts,
} from "./condition.js"
export { fault, isFault, type Fault, type FaultKind } from "./errors.js"
export { Artifact, type Artifacts } from "./artifacts.js"
export { Report } from "./reports.js"
export { RunRecord, StepRecord } from "./record.js"
export type { RunEvent, Stamped } from "./events.js"
export type { Json } from "./json.js"
export type { Secret } from "./secrets.js"
