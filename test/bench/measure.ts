import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Case, Figure, Sample } from "./case.js"

export interface Measured {
  readonly name: string
  readonly title: string
  readonly rounds: number
  readonly variants: readonly { readonly name: string; readonly median: Sample; readonly samples: readonly Sample[] }[]
  readonly figures: readonly (Figure & { readonly met?: boolean })[]
}

/** Measures a case: one round that does not count, then the rounds, the variants in another order each time. */
export async function measure(c: Case, note: (text: string) => void): Promise<Measured> {
  const dir = await mkdtemp(join(tmpdir(), `gantry-bench-${c.name}-`))
  try {
    note(`${c.name}: preparing`)
    await c.prepare?.(dir)
    const samples = new Map<string, Sample[]>(c.variants.map((v) => [v.name, []]))
    for (let round = 0; round <= c.rounds; round++) {
      for (const variant of rotate(c.variants, round)) {
        note(`${c.name}: ${round === 0 ? "warming up" : `round ${round} of ${c.rounds}`}, ${variant.name}`)
        const sample = await variant.run(dir)
        if (round > 0) samples.get(variant.name)?.push(sample)
      }
    }
    const variants = c.variants.map(({ name }) => {
      const all = samples.get(name) ?? []
      return { name, median: medians(all), samples: all }
    })
    const figures = c
      .conclude((variant, m) => variants.find((v) => v.name === variant)?.median[m] ?? NaN)
      .map((f) => (f.goal === undefined ? f : { ...f, met: f.value < f.goal }))
    return { name: c.name, title: c.title, rounds: c.rounds, variants, figures }
  } finally {
    await c.close?.()
    await rm(dir, { recursive: true, force: true })
  }
}

function rotate<T>(list: readonly T[], by: number): readonly T[] {
  return list.map((_, i) => list[(i + by) % list.length] as T)
}

function medians(samples: readonly Sample[]): Sample {
  const names = [...new Set(samples.flatMap((s) => Object.keys(s)))]
  return Object.fromEntries(names.map((name) => [name, median(samples.map((s) => s[name] ?? NaN))]))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]]
  return ((low ?? NaN) + (high ?? NaN)) / 2
}
