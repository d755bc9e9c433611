import { PassThrough } from "node:stream"
import type Docker from "dockerode"

/** Runs a command in a running container: exit code and output, stdout and stderr together. */
export async function execIn(
  docker: Docker,
  container: string,
  command: readonly string[],
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const exec = await docker.getContainer(container).exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true })
  const stream = await exec.start({})
  const sink = new PassThrough()
  docker.modem.demuxStream(stream, sink, sink)
  const chunks: Buffer[] = []
  sink.on("data", (chunk: Buffer) => chunks.push(chunk))
  await new Promise<void>((resolve, reject) => {
    stream.on("end", resolve)
    stream.on("close", resolve)
    stream.on("error", reject)
  })
  const { ExitCode } = await exec.inspect()
  return { exitCode: ExitCode ?? 1, output: Buffer.concat(chunks).toString("utf8") }
}
