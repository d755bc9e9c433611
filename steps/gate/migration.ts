import { z } from "zod"
import { readEvidence } from "../../approvals/index.js"
import { fault } from "../../core/errors.js"
import type { RunInfo } from "../../core/step.js"
import { migrationContent } from "../migrate/content.js"
import type { Release, Source } from "../outputs.js"
import type { Service } from "../service.js"
import { gateId } from "./evidence.js"

const Approved = z.object({
  services: z.array(
    z.object({
      service: z.string(),
      migration: z.object({ run: z.string(), content: z.string(), compatible: z.boolean() }).nullable(),
    }),
  ),
})

/** What is migrated is what was approved. To be called behind verifyApproval, which vouches for the evidence. @throws GATE-UNPROVEN */
export async function verifyMigration(
  run: RunInfo,
  environment: string,
  service: Service,
  { source, release }: { readonly source: Source; readonly release: Release },
): Promise<void> {
  const { evidence } = await readEvidence(run.dir, run.id, gateId)
  const approved = Approved.safeParse(evidence).data?.services.find((s) => s.service === service.name)?.migration
  const { migrations } = service
  const content = await migrationContent(service, source, release, { cwd: run.project })
  const doubt =
    approved === undefined || approved === null
      ? "no migration of it was approved"
      : approved.content !== content
        ? "other migrations were approved"
        : approved.run !== migrations?.run
          ? `approved was \`${approved.run}\``
          : approved.compatible !== migrations.compatible
            ? "whether it is backwards compatible was declared otherwise"
            : undefined
  if (doubt === undefined) return
  throw fault({
    code: "GATE-UNPROVEN",
    kind: "failed",
    message: `Nothing is migrated in ${environment}: the approval does not hold for the migration of ${service.name}`,
    reason: doubt,
    hint: "Start a new run: what was approved is what is done.",
  })
}
