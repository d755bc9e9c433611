import type { Source } from "../outputs.js"
import type { Service } from "../service.js"

/**
 * Labels that say where an image comes from (https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md).
 * `created` is the commit's date: the same commit gives the same labels.
 */
export function imageLabels(service: Pick<Service, "name">, source: Source): Record<string, string> {
  return {
    "org.opencontainers.image.title": service.name,
    "org.opencontainers.image.revision": source.dirty ? `${source.commit}-dirty-${source.tree}` : source.commit,
    "org.opencontainers.image.created": source.date,
    ...(source.origin === undefined ? {} : { "org.opencontainers.image.source": source.origin }),
  }
}
