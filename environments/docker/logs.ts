import type Docker from "dockerode"

/** Takes the headers out of Docker's multiplexed log stream (Engine API, "ContainerAttach": 8 bytes, the last four the size). */
export function demultiplex(raw: Buffer): string {
  const parts: Buffer[] = []
  let at = 0
  while (at + 8 <= raw.length) {
    const kind = raw[at] ?? 9
    // A container with a terminal has a plain stream.
    if (kind > 2 || raw[at + 1] !== 0 || raw[at + 2] !== 0 || raw[at + 3] !== 0) return raw.toString("utf8")
    const size = raw.readUInt32BE(at + 4)
    parts.push(raw.subarray(at + 8, at + 8 + size))
    at += 8 + size
  }
  return Buffer.concat(parts).toString("utf8")
}

/** The last lines of a container's log; "" when it is gone. */
export async function containerLogs(docker: Docker, container: string, lines: number): Promise<string> {
  try {
    return demultiplex(await docker.getContainer(container).logs({ stdout: true, stderr: true, tail: lines }))
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return ""
    throw error
  }
}
