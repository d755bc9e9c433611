import type { Client, Container, Service as DaggerService } from "@dagger.io/dagger"

/** Public name of the image behind `mariadb` in a suite's services. */
export const mariadbImage = "docker.io/library/mariadb:11.8"

/** Of a database that lives as long as one suite, on a network of its own: a name, not a secret. */
const access = { database: "app", user: "app", password: "app-test", root: "root-test" }

/**
 * A new MariaDB for one suite. `instance` is unique to it: the engine gives equal services to everybody who asks.
 * The engine waits until the port accepts connections, and the image opens it only when its database is ready.
 */
function mariadb(dag: Client, image: string, instance: string): DaggerService {
  return (
    dag
      .container()
      .from(image)
      .withEnvVariable("GANTRY_INSTANCE", instance)
      .withEnvVariable("MARIADB_DATABASE", access.database)
      .withEnvVariable("MARIADB_USER", access.user)
      .withEnvVariable("MARIADB_PASSWORD", access.password)
      .withEnvVariable("MARIADB_ROOT_PASSWORD", access.root)
      // In memory: it lives as long as the suite, and on a busy disk its first start takes most of the suite's time.
      .withMountedTemp("/var/lib/mysql")
      .withExposedPort(3306)
      .asService({ useEntrypoint: true })
  )
}

/** Binds the services that a suite declares, and says in the environment how they are reached. */
export function withServices(
  container: Container,
  dag: Client,
  services: Readonly<Record<string, "mariadb">>,
  image: string,
  instance: string,
): Container {
  return Object.keys(services).reduce((built, name) => {
    const prefix = name.toUpperCase().replaceAll("-", "_")
    const variables = {
      [`${prefix}_HOST`]: name,
      [`${prefix}_PORT`]: "3306",
      [`${prefix}_NAME`]: access.database,
      [`${prefix}_USER`]: access.user,
      [`${prefix}_PASSWORD`]: access.password,
    }
    return Object.entries(variables).reduce(
      (c, [key, value]) => c.withEnvVariable(key, value),
      built.withServiceBinding(name, mariadb(dag, image, `${instance}.${name}`)),
    )
  }, container)
}
