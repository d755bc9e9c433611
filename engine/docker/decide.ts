import type { FaultFields } from "../../core/errors.js"

/** What is known about a host whose Docker Engine does not answer. */
export interface DockerSituation {
  readonly host: string
  /** Somebody named this address, so starting another engine would not be what he wants. */
  readonly configured: boolean
  /** There is a socket, and this user may not open it. */
  readonly denied: boolean
  readonly installed: boolean
  readonly root: boolean
  readonly debian: boolean
}

export type DockerDecision =
  | { readonly action: "start" }
  | { readonly action: "install" }
  | { readonly action: "fault"; readonly fault: FaultFields }

/** What to do where no Docker Engine answers. Pure: the whole table is tested. */
export function decideDocker(situation: DockerSituation): DockerDecision {
  if (situation.denied) {
    return {
      action: "fault",
      fault: {
        code: "SUPPLY-DOCKER-DENIED",
        kind: "errored",
        message: `This user may not use the Docker Engine at ${situation.host}`,
        reason: "The socket exists, and opening it is not permitted.",
        hint: "As root: usermod -aG docker $USER, then log in again.",
      },
    }
  }
  const noDocker = (reason: string, hint: string): DockerDecision => ({
    action: "fault",
    fault: { code: "SUPPLY-NO-DOCKER", kind: "errored", message: "No Docker Engine answers", reason, hint },
  })
  if (situation.configured) {
    return noDocker(
      `${situation.host} (DOCKER_HOST or docker.host of the configuration) does not answer.`,
      "Start that engine, or unset DOCKER_HOST so that Gantry uses /var/run/docker.sock.",
    )
  }
  if (!situation.root) {
    return situation.installed
      ? noDocker(
          "It is installed and not running; only root may start it.",
          "As root: systemctl start docker (or: dockerd &)",
        )
      : noDocker(
          "None is installed; only root may install one.",
          "As root: apt-get install docker.io iptables (Debian), or see https://docs.docker.com/engine/install/. Or run Gantry as root: it then installs Debian's.",
        )
  }
  if (situation.installed) return { action: "start" }
  if (situation.debian) return { action: "install" }
  return noDocker(
    "None is installed, and this system has no apt-get.",
    "Install a Docker Engine: https://docs.docker.com/engine/install/",
  )
}
