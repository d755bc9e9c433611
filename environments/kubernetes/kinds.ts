import type { KubeObject } from "../../clients/kubernetes/index.js"

/** Of the objects that Gantry reads, the fields that it reads. https://kubernetes.io/docs/reference/kubernetes-api/ */
export interface Condition {
  readonly type: string
  readonly status: "True" | "False" | "Unknown"
  readonly reason?: string
  readonly message?: string
  /** RFC 3339. */
  readonly lastTransitionTime?: string
}

interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}

export interface Deployment extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly template: PodTemplate }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly readyReplicas?: number
    readonly availableReplicas?: number
    readonly conditions?: readonly Condition[]
  }
}

export interface Terminated {
  readonly exitCode: number
  readonly reason?: string
  readonly message?: string
  readonly startedAt?: string
  readonly finishedAt?: string
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly running?: { readonly startedAt?: string }
  readonly terminated?: Terminated
}

export interface ContainerStatus {
  readonly name: string
  readonly ready: boolean
  readonly restartCount: number
  readonly imageID?: string
  readonly state?: ContainerState
  readonly lastState?: ContainerState
}

export interface Pod extends KubeObject {
  readonly status?: {
    readonly phase?: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown"
    readonly reason?: string
    readonly message?: string
    readonly startTime?: string
    readonly conditions?: readonly Condition[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

export interface Service extends KubeObject {
  readonly spec: {
    readonly selector?: Readonly<Record<string, string>>
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly nodePort?: number }[]
  }
}

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
  /** Values are base64. */
  readonly binaryData?: Readonly<Record<string, string>>
}

/** Values are base64. */
export interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

export interface Job extends KubeObject {
  readonly spec: { readonly activeDeadlineSeconds?: number; readonly suspend?: boolean }
  readonly status?: {
    readonly active?: number
    readonly succeeded?: number
    readonly failed?: number
    readonly startTime?: string
    readonly conditions?: readonly Condition[]
  }
}

export interface Autoscaler extends KubeObject {
  readonly spec: { readonly minReplicas?: number; readonly maxReplicas: number }
  readonly status?: {
    readonly currentReplicas?: number
    readonly desiredReplicas?: number
    readonly conditions?: readonly Condition[]
  }
}

export interface Event extends KubeObject {
  readonly involvedObject?: { readonly kind?: string; readonly name?: string }
  readonly reason?: string
  readonly message?: string
  readonly type?: string
  readonly lastTimestamp?: string | null
  readonly eventTime?: string | null
}

export const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((c) => c.type === type)

export const isTrue = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  conditionOf(conditions, type)?.status === "True"

export const isGoing = ({ metadata }: Pick<KubeObject, "metadata">): boolean => metadata.deletionTimestamp !== undefined
/** Of a workload that is there all the time no pod ends by itself (restartPolicy: Always): the cluster gave it up. */
export const isOver = ({ status }: Pod) => status?.phase === "Failed" || status?.phase === "Succeeded"
