import { z } from "zod"
import { RunRecord } from "./record.js"

/**
 * JSON Schema (draft 2020-12) of `run.json`. Committed as `schema/run.schema.json`, so that other programs can rely on it.
 * Readers must take members that they do not know for additions: only a rise of `schema` breaks them.
 */
export function runJsonSchema(): object {
  return {
    title: "Gantry run record",
    description: "run.json of .gantry/runs/<id>: what a run of a pipeline did. Made from core/record.ts; do not edit.",
    ...z.toJSONSchema(RunRecord, { target: "draft-2020-12", io: "input" }),
  }
}
