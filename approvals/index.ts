export { appendAudit, checkAudit, readAudit, type AuditLine } from "./audit.js"
export { decide, isPipelineRun, proposalOf, type Proposal } from "./decide.js"
export { hostStatementName, keepHostStatement, keepStatement, readDecisions, type Decision } from "./decisions.js"
export { Demands, Evidence, gatesOf, readEvidence, writeEvidence, type BoundEvidence } from "./evidence.js"
export { isSamePerson, type Person } from "./person.js"
export {
  findApprover,
  findApproverOf,
  isSameUser,
  judge,
  mayApprove,
  rulesFor,
  whyMayNotApprove,
  type GateRules,
  type HostRules,
  type Judgement,
} from "./rules.js"
export { Approver, isSignedBy, signStatement, Statement, Via } from "./statement.js"
