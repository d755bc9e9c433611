import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type Docker from "dockerode"
import { runContainer } from "../docker/run.js"
import type { Tool } from "./run.js"

/** Answers apart from warnings: the one goes into a file, the other is the container's output. */
const script = `out=$1; shift; exec "$@" > "$out"`

/** A program in a container of the local Docker Engine, one container for each run. */
export function containerTool(
  name: string,
  docker: Docker,
  image: string,
  command: string,
  env: (scratch: string) => Readonly<Record<string, string>>,
): Tool {
  return {
    name,
    async run(args, { scratch, folders = [], env: more, signal, network }) {
      const answer = join(scratch, "answer")
      const ran = await runContainer(docker, {
        image,
        entrypoint: ["/bin/sh", "-c"],
        command: [script, "sh", answer, command, ...args],
        env: { ...env(scratch), ...more, HOME: scratch },
        binds: [`${scratch}:${scratch}`, ...folders.map((folder) => `${folder}:${folder}:ro`)],
        // What is written belongs to whom the folder belongs to.
        user: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
        workdir: scratch,
        network: network ?? "none",
        signal,
      })
      const stdout = await readFile(answer, "utf8").catch(() => "")
      return { exitCode: ran.exitCode, stdout, stderr: ran.output }
    },
  }
}
