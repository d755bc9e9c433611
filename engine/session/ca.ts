import { dirname, join } from "node:path"
import type { Client, Container } from "@dagger.io/dagger"
import { caEnvironment, caInContainer, hostCa } from "../ca.js"
import { homeOf, type EngineConfig } from "../config.js"
import { truststoreFile, truststorePassword } from "../truststore.js"

/**
 * The container with the host's certificate authorities mounted and every usual tool told about them (Node, OpenSSL,
 * Go, git, Python, curl, Java). Unchanged where the host names no bundle. Mounts are no part of an image: what is
 * exported or published from the container does not hold them.
 */
export function withHostCa(container: Container, dag: Client, config: EngineConfig): Container {
  const bundle = hostCa(config)
  if (bundle === undefined) return container
  const truststore = join(dirname(caInContainer), "truststore.jks")
  const variables = {
    ...caEnvironment(),
    JAVA_TOOL_OPTIONS: `-Djavax.net.ssl.trustStore=${truststore} -Djavax.net.ssl.trustStorePassword=${truststorePassword}`,
  }
  return Object.entries(variables).reduce(
    (built, [name, value]) => built.withEnvVariable(name, value),
    container
      .withMountedFile(caInContainer, dag.host().file(bundle))
      .withMountedFile(truststore, dag.host().file(truststoreFile(homeOf(config), bundle))),
  )
}

/** The container without the variables that `withHostCa` sets, for what is going to be exported or published. */
export function withoutHostCa(container: Container): Container {
  const names = [...Object.keys(caEnvironment()), "JAVA_TOOL_OPTIONS"]
  return names
    .reduce((built, name) => built.withoutEnvVariable(name), container)
    .withoutMount(caInContainer)
    .withoutMount(join(dirname(caInContainer), "truststore.jks"))
}
