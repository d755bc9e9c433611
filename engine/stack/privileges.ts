import { readFile } from "node:fs/promises"

/** Linux capabilities in the order of their bits (include/uapi/linux/capability.h), as Docker names them without CAP_. */
const names = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
] as const

/** Names of the capabilities in a bounding set as /proc/<pid>/status has it ("CapBnd", hexadecimal). */
export function capabilityNames(hex: string): string[] {
  const bits = BigInt(`0x${hex}`)
  return names.filter((_name, bit) => (bits >> BigInt(bit)) & 1n)
}

/** Whether every capability that Docker's `--privileged` asks for is in the set. */
export function allowsPrivileged(hex: string): boolean {
  return capabilityNames(hex).length === names.length
}

/** The bounding set of this host, as this process sees it. */
export async function boundingSet(): Promise<string | undefined> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "")
  return /^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1]
}

/** A refusal of the container runtime that says: a capability is asked for that this host does not have. */
export function lacksCapability(message: string): boolean {
  return /capabilit|operation not permitted|unable to apply caps/i.test(message)
}

/**
 * Docker's HostConfig of the next best thing to `--privileged`: every capability of the host, none of Docker's
 * confinements, the host's cgroups. `without`: names that this Docker Engine does not know.
 */
export function capabilityConfig(hex: string, without: readonly string[] = []): Record<string, unknown> {
  return {
    Privileged: false,
    CapAdd: capabilityNames(hex)
      .filter((name) => !without.includes(name))
      .map((name) => `CAP_${name}`),
    SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
    // What the command line calls systempaths=unconfined.
    MaskedPaths: [],
    ReadonlyPaths: [],
    CgroupnsMode: "host",
    extraBinds: ["/sys/fs/cgroup:/sys/fs/cgroup:rw"],
  }
}
