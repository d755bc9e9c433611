/** Any object of the Kubernetes API, as JSON. What it holds besides is for those who know its kind. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: KubeMetadata
  readonly [field: string]: unknown
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
export interface KubeMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  /** RFC 3339. */
  readonly creationTimestamp?: string
  /** Since when it is being deleted. */
  readonly deletionTimestamp?: string
  /** Who has to agree before it is gone. */
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[]
  readonly managedFields?: readonly unknown[]
}

/** What names an object. */
export interface KubeRef {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string | undefined
  readonly name: string
}

export const refOf = ({ apiVersion, kind, metadata }: KubeObject): KubeRef => ({
  apiVersion,
  kind,
  name: metadata.name,
  namespace: metadata.namespace,
})

/** "Deployment catalog-blue in shop-test" */
export const refText = ({ kind, name, namespace }: KubeRef) =>
  `${kind} ${name}${namespace === undefined ? "" : ` in ${namespace}`}`
