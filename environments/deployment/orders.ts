import { z } from "zod"
import { ReleaseSpec } from "../release.js"
import type { Notes } from "../memory.js"

/** That a person wants an earlier release back: written down before the run that does it, so that it can be resumed. */
export const RollbackOrder = z.object({ to: ReleaseSpec, by: z.string(), reason: z.string(), at: z.string() })
export type RollbackOrder = z.infer<typeof RollbackOrder>

export const writeRollbackOrder = (notes: Notes, order: RollbackOrder) => notes.write("rollback-order", order)
export const dropRollbackOrder = (notes: Notes) => notes.write("rollback-order", undefined)
export const readRollbackOrder = async (notes: Notes): Promise<RollbackOrder | undefined> =>
  RollbackOrder.safeParse(await notes.read("rollback-order")).data
