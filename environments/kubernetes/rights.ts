/** A rule of a Role, and why it is there. */
export interface Right {
  readonly why: string
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

/** Server-side apply is a patch, and a create where the object is new; then it is read, followed, and in the end removed. */
export const apply = ["get", "list", "watch", "create", "patch", "delete"] as const
const read = ["get", "list", "watch"] as const

/** What Gantry's account needs in the namespace of one environment, and nothing beyond it. */
export function rights(namespace: string, prometheus: string): readonly Right[] {
  return [
    {
      why: "Services switch the traffic, ServiceAccounts are the services' own.",
      apiGroups: [""],
      resources: ["services", "serviceaccounts"],
      verbs: apply,
    },
    {
      why: "Configuration, and what Gantry remembers of a service: that is replaced only as it was read, which is an update.",
      apiGroups: [""],
      resources: ["configmaps"],
      verbs: [...apply, "update"],
    },
    {
      why: "Passwords of the databases: made once, read by name. Nobody lists them.",
      apiGroups: [""],
      resources: ["secrets"],
      verbs: ["get", "create", "patch", "delete"],
    },
    {
      why: "Instances are judged by their pods; one that goes next is marked, one that hangs is removed. None is made by hand.",
      apiGroups: [""],
      resources: ["pods"],
      verbs: [...read, "patch", "delete"],
    },
    { why: "The last words of an instance that failed.", apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
    {
      why: "Why a pod does not start: image, quota, no node.",
      apiGroups: ["", "events.k8s.io"],
      resources: ["events"],
      verbs: read,
    },
    {
      why: "Volumes: a service may bring some; those of databases are removed when an environment is given up with its data.",
      apiGroups: [""],
      resources: ["persistentvolumeclaims"],
      verbs: apply,
    },
    {
      why: "What is left of the quota, and the limits that pods get here.",
      apiGroups: [""],
      resources: ["resourcequotas", "limitranges"],
      verbs: ["get", "list"],
    },
    {
      why: "Whether this namespace is being deleted. Of namespaces, this one alone.",
      apiGroups: [""],
      resources: ["namespaces"],
      resourceNames: [namespace],
      verbs: ["get"],
    },
    {
      why: "The tracks of the services, databases, and what services bring themselves.",
      apiGroups: ["apps"],
      resources: ["deployments", "statefulsets", "daemonsets"],
      verbs: apply,
    },
    {
      why: "Which pods belong to which release.",
      apiGroups: ["apps"],
      resources: ["replicasets", "controllerrevisions"],
      verbs: read,
    },
    {
      why: "Shares of a canary by instances; also what scheduled scaling is given, and nobody can give what he has not.",
      apiGroups: ["apps"],
      resources: ["deployments/scale", "statefulsets/scale"],
      verbs: ["get", "patch"],
    },
    {
      why: "Migrations, and scaling by the clock.",
      apiGroups: ["batch"],
      resources: ["jobs", "cronjobs"],
      verbs: apply,
    },
    { why: "Autoscaling.", apiGroups: ["autoscaling"], resources: ["horizontalpodautoscalers"], verbs: apply },
    {
      why: "How many instances may go at a time.",
      apiGroups: ["policy"],
      resources: ["poddisruptionbudgets"],
      verbs: apply,
    },
    {
      why: "Who may talk to whom, and how users come in.",
      apiGroups: ["networking.k8s.io"],
      resources: ["networkpolicies", "ingresses"],
      verbs: apply,
    },
    {
      why: "Weights of a canary where there is a Gateway.",
      apiGroups: ["gateway.networking.k8s.io"],
      resources: ["httproutes"],
      verbs: apply,
    },
    {
      why: "Whether a Gateway of this namespace is programmed.",
      apiGroups: ["gateway.networking.k8s.io"],
      resources: ["gateways"],
      verbs: ["get", "list"],
    },
    {
      why: "The account of scheduled scaling, which may scale one object. Rights that Gantry itself lacks it cannot give.",
      apiGroups: ["rbac.authorization.k8s.io"],
      resources: ["roles", "rolebindings"],
      verbs: apply,
    },
    {
      why: "One deployment of a service at a time: who is at work holds a Lease and renews it.",
      apiGroups: ["coordination.k8s.io"],
      resources: ["leases"],
      verbs: [...apply, "update"],
    },
    {
      why: "Figures of a canary, asked of this environment's Prometheus through the API server; long questions are a POST.",
      apiGroups: [""],
      resources: ["services/proxy"],
      resourceNames: [prometheus, `${prometheus}:9090`, `http:${prometheus}:9090`],
      verbs: ["get", "create"],
    },
  ]
}
