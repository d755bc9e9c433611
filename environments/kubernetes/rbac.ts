import { Document, isMap, isSeq } from "yaml"
import { capacityOf } from "./capacity.js"
import { toDns } from "./dns.js"
import { labels } from "./labels.js"
import type { KubernetesObject } from "./object.js"
import { dependencyRights } from "./dependencies/rights.js"
import { rights, type Right } from "./rights.js"
import { ChartValues } from "./values.js"

export interface AccountSettings {
  readonly project: string
  readonly environment: string
  /** Configuration profile: which stage of section 2.3 the quota is sized for. */
  readonly profile: string
  readonly namespace: string
  /** Name of the Service that may be asked for figures. */
  readonly prometheus: string
  /** What its dependencies consist of, where it declares some: they need rights and room of their own. */
  readonly dependencies?: readonly KubernetesObject[] | undefined
  /** A Gateway of another namespace that the routes belong to. */
  readonly gateway?: { readonly namespace: string; readonly name: string } | undefined
}

/** Name of Gantry's account in each environment's namespace. */
export const accountName = "gantry"

interface Explained {
  readonly why: string
  readonly object: KubernetesObject
}

/**
 * What the administrator of a cluster applies once for an environment: namespace, Gantry's account with its rights, quota,
 * limits, and policies that deny what no service's own allows. No right reaches beyond the namespace, but to look at the one
 * Gateway that is named.
 */
export function environmentObjects(settings: AccountSettings): readonly KubernetesObject[] {
  return explained(settings).map(({ object }) => object)
}

/** The same as YAML with a reason for each object and rule, and how to get a kubeconfig for the account. */
export function accountYaml(settings: AccountSettings): string {
  const whys = rightsOf(settings).map(({ why }) => why)
  const documents = explained(settings).map(({ why, object }) => {
    const document = new Document(object, { aliasDuplicateObjects: false })
    // On the contents, not the document: that would put an empty line behind it.
    if (isMap(document.contents)) document.contents.commentBefore = comment(why)
    const rules =
      object.kind === "Role" && object.metadata.namespace === settings.namespace ? document.get("rules") : undefined
    if (isSeq(rules)) {
      rules.items.forEach((rule, index) => {
        if (isMap(rule)) rule.commentBefore = comment(whys[index] ?? "")
      })
    }
    return document.toString({ lineWidth: 0 })
  })
  return `${documents.join("---\n")}${kubeconfig(settings)}`
}

const rightsOf = ({ namespace, prometheus, dependencies = [] }: AccountSettings): readonly Right[] => [
  ...rights(namespace, prometheus),
  ...dependencyRights(dependencies),
]

const comment = (text: string) => ` ${text}`

function explained(settings: AccountSettings): readonly Explained[] {
  const { namespace } = settings
  const meta = (name: string) => ({ name, namespace, labels: common(settings) })
  const all = { podSelector: {} }
  const {
    stage,
    cores,
    memory,
    largest,
    text: size,
  } = capacityOf(settings.profile, settings.dependencies !== undefined)
  const { resources } = ChartValues.shape
  const usual = resources.parse({})
  return [
    {
      why: "Pod Security's strictest profile: no root, no privileges, no host. Pods that want more are refused.",
      object: {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: {
          name: namespace,
          labels: {
            ...common(settings),
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/audit": "restricted",
            "pod-security.kubernetes.io/warn": "restricted",
          },
        },
      },
    },
    {
      why: "Gantry's account in this environment, and in no other.",
      object: {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: meta(accountName),
        // Its tokens are asked for; no pod finds one.
        automountServiceAccountToken: false,
      },
    },
    {
      why: "A Role, not a ClusterRole: it ends at the namespace. Asking what an account may (`kubectl auth can-i`) needs no right.",
      object: {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata: meta(accountName),
        rules: rightsOf(settings).map(({ why: _, ...rule }) => rule),
      },
    },
    {
      why: "The account has the Role.",
      object: {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: meta(accountName),
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: accountName },
        subjects: [{ kind: "ServiceAccount", name: accountName, namespace }],
      },
    },
    {
      why: `As much as the servers of ${stage} have for ${settings.dependencies === undefined ? "applications" : "applications, databases, cache and queue"} (section 2.3: ${size}). Processors may be promised twice, memory not.`,
      object: {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: meta(accountName),
        spec: {
          hard: {
            "requests.cpu": String(cores),
            "limits.cpu": String(2 * cores),
            "requests.memory": `${memory}Gi`,
            "limits.memory": `${memory}Gi`,
            "services.loadbalancers": "0",
          },
        },
      },
    },
    {
      why: "What a container gets that says nothing, and what none exceeds: one server.",
      object: {
        apiVersion: "v1",
        kind: "LimitRange",
        metadata: meta(accountName),
        spec: {
          limits: [
            {
              type: "Container",
              default: usual.limits,
              defaultRequest: usual.requests,
              max: { cpu: String(largest.cores), memory: `${largest.memory}Gi` },
            },
          ],
        },
      },
    },
    {
      why: "Nobody talks to anybody, in or out. Each service's own policy says who may all the same.",
      object: {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: meta("deny-by-default"),
        spec: { ...all, policyTypes: ["Ingress", "Egress"] },
      },
    },
    {
      why: "But names are resolved: without the cluster's DNS nothing starts.",
      object: {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: meta("allow-dns"),
        spec: {
          ...all,
          policyTypes: ["Egress"],
          egress: [toDns],
        },
      },
    },
    ...gatewayRight(settings),
  ]
}

/** Only where a Gateway of another namespace is named. */
function gatewayRight(settings: AccountSettings): readonly Explained[] {
  const { gateway, namespace } = settings
  if (gateway === undefined || gateway.namespace === namespace) return []
  const metadata = {
    name: `${accountName}-${namespace}`,
    namespace: gateway.namespace,
    labels: common(settings),
  }
  return [
    {
      why: `Looks at the Gateway ${gateway.name} of ${gateway.namespace}: whether it takes routes, and its address. At nothing else there.`,
      object: {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata,
        rules: [
          {
            apiGroups: ["gateway.networking.k8s.io"],
            resources: ["gateways"],
            resourceNames: [gateway.name],
            verbs: ["get"],
          },
        ],
      },
    },
    {
      why: "The account has that Role, too.",
      object: {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: metadata.name },
        subjects: [{ kind: "ServiceAccount", name: accountName, namespace }],
      },
    },
  ]
}

const common = ({ project, environment }: AccountSettings) => ({
  [labels.managedBy]: "gantry",
  [labels.project]: project,
  [labels.environment]: environment,
})

/** Comments at the end: nothing of it is applied. */
const kubeconfig = ({ namespace, environment }: AccountSettings) => `
# A kubeconfig for the account, made by the administrator for whoever runs Gantry; ${environment} has one of its own:
#
#   kubectl config view --raw --minify --flatten -o jsonpath='{.clusters[0].cluster.certificate-authority-data}' \\
#     | base64 -d > ca.crt
#   server="$(kubectl config view --raw --minify -o jsonpath='{.clusters[0].cluster.server}')"
#   token="$(kubectl create token ${accountName} --namespace ${namespace} --duration 720h)"
#   export KUBECONFIG=./kubeconfig-${namespace}
#   kubectl config set-cluster cluster --server "$server" --certificate-authority ca.crt --embed-certs
#   kubectl config set-credentials ${accountName} --token "$token"
#   kubectl config set-context ${namespace} --cluster cluster --user ${accountName} --namespace ${namespace}
#   kubectl config use-context ${namespace}
#
# The token ends after the duration (the cluster may grant less); the same command makes the next one.
`
