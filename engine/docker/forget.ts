import type Docker from "dockerode"

/** Takes names that begin with `prefix` from the Docker Engine's images; images that have no other name go with them. */
export async function forgetImages(docker: Docker, prefix: string): Promise<void> {
  for (const image of await docker.listImages({ digests: true })) {
    // Tags go before digests: the last tag of a repository takes its digests along.
    for (const name of [...(image.RepoTags ?? []), ...(image.RepoDigests ?? [])]) {
      if (!name.startsWith(prefix)) continue
      await docker
        .getImage(name)
        .remove({ noprune: true })
        .catch((error: { statusCode?: number }) => {
          // 404 gone already, 409 a container uses it.
          if (![404, 409].includes(error.statusCode ?? 0)) throw error
        })
    }
  }
}
