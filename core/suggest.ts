/** The candidate nearest to a mistyped name, or undefined when none is near. Edit distance with swaps, case ignored. */
export function nearest(wanted: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(wanted.length / 3))
  let best: { name: string; distance: number } | undefined
  for (const name of candidates) {
    const whole = distance(wanted.toLowerCase(), name.toLowerCase())
    const tail = distance(wanted.toLowerCase(), name.slice(name.lastIndexOf(".") + 1).toLowerCase())
    const d = Math.min(whole, tail)
    if (d <= limit && (best === undefined || d < best.distance)) best = { name, distance: d }
  }
  return best?.name
}

function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    const above = rows[i - 1] as number[]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let d = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        d = Math.min(d, (rows[i - 2]?.[j - 2] ?? 0) + 1)
      row.push(d)
    }
    rows.push(row)
  }
  return rows[a.length]?.[b.length] ?? Infinity
}
