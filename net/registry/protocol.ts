/** What every client of the OCI distribution API needs. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md */

/** Media types of manifests and indexes, OCI's and Docker's, as an `Accept` header. */
export const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ")

/** Plain http is for loopback alone. `hostname` as in a URL: no port, IPv6 in brackets. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

/** Base addresses of a registry as references name it. As Docker does, one on loopback may speak plain http. */
export function registryUrls(registry: string): readonly string[] {
  if (registry === "docker.io") return ["https://registry-1.docker.io"]
  const secure = `https://${registry}`
  return isLoopback(registry.replace(/:\d+$/, "")) ? [`http://${registry}`, secure] : [secure]
}

/** Where the bytes of an upload go: the address that the registry named, with the digest that they have to have. */
export function uploadUrl(location: string, base: string | URL, digest: string): URL {
  const url = new URL(location, base)
  url.searchParams.set("digest", digest)
  return url
}
