export { decide } from "./decide.js"
export {
  appendAudit,
  checkAudit,
  EvidenceFile,
  gatesOf,
  readEvidence,
  readStatements,
  writeEvidence,
} from "./ledger.js"
export { findApprover, judge, whyMayNot, type GateRules, type Judgement } from "./rules.js"
export { Approver, isSignedBy, signStatement, Statement } from "./statement.js"
