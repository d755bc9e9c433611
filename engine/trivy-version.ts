export const trivyVersion = "0.74.0"
export const trivyReference = `docker.io/aquasec/trivy:${trivyVersion}`

/**
 * Releases that carried malicious code (advisory GHSA-69fq-xp46-6x23): never run, whoever asks for them.
 */
const compromised = ["0.69.4", "0.69.5", "0.69.6"]

/** Whether a version ("0.69.4", "v0.69.4") or a reference that ends in it must not be run. */
export function isCompromisedTrivy(versionOrReference: string): boolean {
  const version = /(\d+\.\d+\.\d+)(?:[-@][^/]*)?$/.exec(versionOrReference)?.[1]
  return version !== undefined && compromised.includes(version)
}

/** Where the image that is made from packages has its database: a dated subset of well-known advisories. */
export const subsetFolder = "/opt/gantry/trivy"
