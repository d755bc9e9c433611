import { asksFor, branchesOf } from "../condition.js"
import type { Flow } from "../flow.js"
import type { GitlabFile, Rule } from "./model.js"
import { termsOf } from "./rules.js"
import { branch } from "../../core/condition.js"

/**
 * Which pipelines there are. One for each merge request and none beside it for its branch; for a push to the default branch or
 * another protected one; for branches that a condition names; for tags when a condition asks for one; for what somebody
 * started on purpose. For a deleted branch GitLab makes none.
 */
export function workflowOf(pipeline: string, { jobs }: Flow): NonNullable<GitlabFile["workflow"]> {
  const conditions = jobs.map((job) => job.presence.when)
  const named = [...new Set(conditions.flatMap(branchesOf))]
  const [namedTerm] = named.length === 0 ? [] : termsOf(branch(...named))
  const rules: readonly Rule[] = [
    { if: '$CI_PIPELINE_SOURCE == "merge_request_event"' },
    { if: "$CI_PIPELINE_SOURCE =~ /^(schedule|web|api|trigger|pipeline|chat)$/" },
    { if: "$CI_COMMIT_TAG", ...(conditions.some((c) => asksFor("tag", c)) ? {} : { when: "never" }) },
    { if: "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" },
    { if: '$CI_COMMIT_BRANCH && $CI_COMMIT_REF_PROTECTED == "true"' },
    // A branch with an open merge request has that one's pipeline.
    ...(namedTerm === undefined
      ? []
      : [
          { if: "$CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS", when: "never" } as const,
          { if: namedTerm.ifs.join(" && ") },
        ]),
    { when: "never" },
  ]
  return { name: `${pipeline}: $CI_COMMIT_TITLE`, auto_cancel: { on_new_commit: "conservative" }, rules }
}
