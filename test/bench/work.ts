import type { Client } from "@dagger.io/dagger"

/** How many containers of one round, and how much each does. */
export const containers = 8

/**
 * The work of one container: it hashes 300 MB (about a second of one processor), behind a file of its own.
 * @param nonce Another one is other work; the same one is answered from the engine's cache.
 */
export function containerWork(dag: Client, image: string, n: number, nonce: string): Promise<string> {
  return dag
    .container()
    .from(image)
    .withNewFile("/work/input.txt", `input ${n}`)
    .withEnvVariable("NONCE", nonce)
    .withExec(["sh", "-c", "(cat /work/input.txt; head -c 300000000 /dev/zero) | sha256sum"])
    .stdout()
}

/** Takes part in nobody's measurement: what the programs print must be the same in both. */
export function sameWork(outputs: readonly string[]): number {
  if (outputs.length !== containers || outputs.some((o) => !/^[0-9a-f]{64}/.test(o)))
    throw new Error("the work was not done")
  return new Set(outputs).size
}
