/** Weights as HAProxy has them: whole numbers up to 256; Kubernetes' routes take the same. */
const mostWeight = 256

/**
 * Weights of each canary and each stable instance, so that the canaries together get `percent` of the requests, as near
 * as whole numbers allow. 0 and 100 are exact. Where one side has no instance the other has everything: there is no share
 * at which users would rather reach nobody.
 */
export function shares(
  percent: number,
  canaries: number,
  stables: number,
): { readonly canary: number; readonly stable: number } {
  if (canaries === 0) return { canary: 0, stable: 100 }
  if (percent >= 100 || stables === 0) return { canary: 100, stable: 0 }
  if (percent <= 0) return { canary: 0, stable: 100 }
  const share = percent / 100
  let best = { canary: 1, stable: mostWeight, error: Infinity }
  for (let stable = 1; stable <= mostWeight; stable++) {
    const exact = (share * stables * stable) / ((1 - share) * canaries)
    const canary = Math.min(mostWeight, Math.max(1, Math.round(exact)))
    const error = Math.abs((canary * canaries) / (canary * canaries + stable * stables) - share)
    if (error < best.error - 1e-12) best = { canary, stable, error }
  }
  return { canary: best.canary, stable: best.stable }
}

/** How many instances a canary needs for its share, so that none of them carries more than a stable one would. */
export function canaryInstances(percent: number, replicas: number): number {
  return Math.min(replicas, Math.max(1, Math.ceil((replicas * percent) / 100)))
}
