import { fault } from "../../../core/errors.js"
import { objectName, type KubernetesObject } from "../object.js"

/** Kinds that belong to the whole cluster, by API group. Others that somebody's operator brings the API server refuses. */
const clusterKinds: Readonly<Record<string, readonly string[]>> = {
  "": ["Namespace", "Node", "PersistentVolume", "ComponentStatus"],
  "admissionregistration.k8s.io": [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
  ],
  "apiextensions.k8s.io": ["CustomResourceDefinition"],
  "apiregistration.k8s.io": ["APIService"],
  "certificates.k8s.io": ["CertificateSigningRequest", "ClusterTrustBundle"],
  "flowcontrol.apiserver.k8s.io": ["FlowSchema", "PriorityLevelConfiguration"],
  "gateway.networking.k8s.io": ["GatewayClass"],
  "networking.k8s.io": ["IngressClass", "IPAddress", "ServiceCIDR"],
  "node.k8s.io": ["RuntimeClass"],
  "rbac.authorization.k8s.io": ["ClusterRole", "ClusterRoleBinding"],
  "resource.k8s.io": ["DeviceClass", "ResourceSlice"],
  "scheduling.k8s.io": ["PriorityClass"],
  "storage.k8s.io": ["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"],
}

/**
 * Keeps a service's own objects in the namespace of the environment: those without one get it.
 * @throws OWN-BEYOND-NAMESPACE for kinds of the whole cluster and other namespaces, OWN-HOOK for hooks of Helm
 */
export function withinNamespace(
  objects: readonly KubernetesObject[],
  namespace: string,
  service: string,
): readonly KubernetesObject[] {
  const beyond = objects.flatMap((object) => {
    const group = object.apiVersion.includes("/") ? (object.apiVersion.split("/")[0] ?? "") : ""
    if (clusterKinds[group]?.includes(object.kind) === true)
      return [`${objectName(object)} belongs to the whole cluster`]
    const own = object.metadata.namespace
    return own === undefined || own === namespace ? [] : [`${objectName(object)} is in the namespace ${own}`]
  })
  if (beyond.length > 0) {
    throw fault({
      code: "OWN-BEYOND-NAMESPACE",
      kind: "usage",
      message: `${service}: its own objects leave the namespace ${namespace}`,
      reason: `${beyond.join("; ")}.`,
      hint: "What belongs to the cluster is the administrator's to apply, once. Leave `metadata.namespace` out of what belongs to the service.",
    })
  }
  const hooks = objects.filter((object) => object.metadata.annotations?.["helm.sh/hook"] !== undefined)
  if (hooks.length > 0) {
    throw fault({
      code: "OWN-HOOK",
      kind: "usage",
      message: `${service}: its chart has hooks, which only \`helm install\` runs`,
      reason: `${hooks.map((o) => `${objectName(o)} (${o.metadata.annotations?.["helm.sh/hook"]})`).join("; ")}.`,
      hint: "Gantry applies the objects itself. What has to happen before an instance starts is an init container; a Job without these annotations runs once for each release, beside it.",
    })
  }
  return objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace } }))
}
