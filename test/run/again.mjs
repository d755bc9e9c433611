import { forget, runPart } from "./part.mjs"
import { vitest } from "./suites.mjs"

/** More files than these that are red are no accident. */
const most = 3

/**
 * What was red on real components, alone and once more, when everything else is through. A test that is green then is
 * neither passed nor failed but unsteady: told at the end with what it said, for somebody has to find out why.
 * Nothing runs again where more is red than an accident makes, or anything that has the same inputs each time.
 * @returns outcomes in the same order
 */
export async function onceMore(outcomes, say) {
  const red = outcomes.filter(({ why }) => why !== undefined)
  const mayBeAccident = red.every(({ part, files }) => part.onReal === true && files.length > 0)
  if (!mayBeAccident || red.flatMap(({ files }) => files).length > most) return outcomes
  const settled = []
  for (const outcome of outcomes) settled.push(outcome.why === undefined ? outcome : await again(outcome, say))
  return settled
}

async function again(outcome, say) {
  const { part, files, passed, failed, texts } = outcome
  const alone = vitest(`${part.name}-again`, part.project, files)
  forget(alone)
  const second = await runPart(alone, say)
  if (second.why !== undefined) return { ...outcome, texts: [...texts, ...second.texts] }
  return { part, passed, failed: 0, unsteady: failed, texts: [], files: [], unsteadyTexts: texts }
}
