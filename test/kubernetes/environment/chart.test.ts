import { randomBytes } from "node:crypto"
import { dirname } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { engineConfig } from "../../../engine/config.js"
import type { KubernetesObject } from "../../../environments/kubernetes/object.js"
import { accountYaml } from "../../../environments/kubernetes/rbac.js"
import { chartFolder, renderChart, renderTools, withScratch } from "../../../environments/kubernetes/render.js"
import { combinations, usual } from "../../fakes/chart-values.js"
import { podsOf } from "../../fakes/pod-security.js"
import { ensureLab, type Lab } from "../../lab/kubernetes/index.js"

const tools = renderTools(engineConfig.parse({}))
const suffix = randomBytes(3).toString("hex")
const [here, there] = [`chart-${suffix}-test`, `chart-${suffix}-prod`]
const account = (namespace: string) => `--as=system:serviceaccount:${namespace}:gantry`

/** The pod as its controller makes it: a StatefulSet's has its claims among the volumes. */
function podOf(object: KubernetesObject, spec: ReturnType<typeof podsOf>[number]) {
  const { volumeClaimTemplates = [] } = object["spec"] as {
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[]
  }
  const claims = volumeClaimTemplates.map(({ metadata: { name } }) => ({
    name,
    persistentVolumeClaim: { claimName: `${name}-${object.metadata.name}-0` },
  }))
  return { ...spec, volumes: [...(spec.volumes ?? []), ...claims], restartPolicy: "Never" }
}

describe("the chart and the account of an environment, on a cluster", () => {
  let lab: Lab
  /** Whether the cluster knows the Gateway API: it is no part of Kubernetes. */
  let gateways = false
  const apply = (objects: readonly object[], ...args: string[]) =>
    lab.kubectl(["apply", "--server-side", "--field-manager=gantry", ...args, "-f", "-"], {
      input: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
    })
  const render = (name: string) => renderChart(tools, combinations[name] ?? usual, { namespace: here })
  /** What the one who asks is told: "yes" or "no". */
  const mayI = (who: string, ...args: string[]) =>
    lab.kubectl(["auth", "can-i", who, ...args]).catch((error: unknown) => {
      if (/exit code 1|failed$/.test(String(error))) return "no"
      throw error
    })

  beforeAll(async () => {
    lab = await ensureLab()
    const served = await lab.kubectl(["api-resources", "--api-group=gateway.networking.k8s.io", "-o", "name"])
    gateways = served.includes("httproutes")
    for (const namespace of [here, there]) {
      const environment = namespace === here ? "test" : "prod"
      const yaml = accountYaml({
        project: "shop",
        environment,
        profile: environment,
        namespace,
        prometheus: "prometheus",
      })
      await lab.kubectl(["apply", "-f", "-"], { input: yaml })
    }
  })
  afterAll(async () => {
    await lab.kubectl(["delete", "namespace", here, there, "--wait=false", "--ignore-not-found"])
  })

  it.each(Object.keys(combinations))("the account may apply %s, and the API server takes it", async (name) => {
    const objects = await render(name)
    const known = objects.filter((o) => gateways || o.kind !== "HTTPRoute")
    // A binding is taken only where its role is there: then the account has to hold what it gives.
    const roles = known.filter((o) => o.kind === "Role")
    if (roles.length > 0) await apply(roles, account(here))
    const said = await apply(known, "--dry-run=server", account(here))
    expect(said.trim().split("\n")).toHaveLength(known.length)
  })

  it("Pod Security admits every pod that the chart makes, and would not admit another", async () => {
    const all = (await Promise.all(Object.keys(combinations).map(render))).flat()
    const accounts = all.filter((o) => o.kind === "ServiceAccount")
    await apply([...new Map(accounts.map((o) => [o.metadata.name, o])).values()])
    await lab.kubectl(["create", "serviceaccount", "own", "--namespace", here])
    const pods = all
      .flatMap((object) => podsOf(object).map((spec) => podOf(object, spec)))
      .map((spec, index) => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: `pod-${index}`, namespace: here },
        spec,
      }))
    expect(pods.length).toBeGreaterThan(15)
    const said = await apply(pods, "--dry-run=server")
    expect(said.trim().split("\n")).toHaveLength(pods.length)

    const [first] = pods
    if (first === undefined) throw new Error("no pod")
    const loose = { ...first, spec: { ...first.spec, hostNetwork: true } }
    await expect(apply([loose], "--dry-run=server")).rejects.toMatchObject({
      reason: expect.stringMatching(/violates PodSecurity "restricted/) as string,
    })
  })

  it("scheduled scaling may scale its one object, and do nothing else", async () => {
    const clock = `--as=system:serviceaccount:${here}:order-schedule`
    for (const [name, object, args, more] of [
      ["an autoscaler and the clock", "HorizontalPodAutoscaler", ["horizontalpodautoscaler/order"], { minReplicas: 4 }],
      [
        "the clock without an autoscaler",
        "Deployment",
        ["deployment/order-blue", "--subresource=scale"],
        { replicas: 0 },
      ],
    ] as const) {
      const objects = await renderChart(
        tools,
        {
          ...combinations[name],
          ...usual,
          ...combinations[name],
          track: "blue",
          replicas: object === "Deployment" ? 1 : undefined,
        },
        { namespace: here },
      )
      const wanted = [object, "ServiceAccount", "Role", "RoleBinding"]
      await apply(objects.filter((o) => wanted.includes(o.kind)))
      const patch = (...target: readonly string[]) =>
        lab.kubectl(
          ["patch", ...target, clock, "--namespace", here, "--field-manager=gantry-schedule", "--type=merge"].concat([
            `--patch=${JSON.stringify({ spec: more })}`,
          ]),
        )
      expect(await patch(...args)).toMatch(/patched/)
      const other = [args[0].replace(/order.*/, "other"), ...args.slice(1)]
      await expect(patch(...other)).rejects.toMatchObject({ reason: expect.stringMatching(/Forbidden/i) as string })
    }
    expect(await mayI(clock, "get", "pods", "--namespace", here)).toBe("no")
    expect(await mayI(clock, "patch", "deployments", "--namespace", here)).toBe("no")
  })

  it("`helm install` takes the chart as it is: instances run, serve and are taken away", async () => {
    const [repository, digest] = (await lab.webImage("v1")).split("@")
    const helm = await tools.helm()
    const run = (...args: string[]) =>
      withScratch((scratch) =>
        helm.run([...args, "--namespace", here], {
          scratch,
          folders: [chartFolder(), dirname(lab.kubeconfig)],
          env: { KUBECONFIG: lab.kubeconfig },
          network: "host",
        }),
      )
    const image = [`--set=image.repository=${repository ?? ""}`, `--set=image.digest=${digest ?? ""}`]
    const installed = await run(
      "install",
      "byhand",
      chartFolder(),
      "--set=service=byhand",
      ...image,
      "--wait",
      "--timeout=90s",
    )
    expect(installed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("STATUS: deployed") as string })
    const endpoints = await lab.kubectl(
      ["get", "endpointslices", "-l", "kubernetes.io/service-name=byhand", "-o", "json"].concat(["--namespace", here]),
    )
    expect(endpoints).toContain('"ready": true')
    expect(await run("uninstall", "byhand", "--wait")).toMatchObject({ exitCode: 0 })
    expect(
      await lab.kubectl([
        "get",
        "deployments,services,configmaps,serviceaccounts,networkpolicies",
        "-l",
        "app.kubernetes.io/name=byhand",
        "--namespace",
        here,
        "-o",
        "name",
      ]),
    ).toBe("")
  })

  it("a run of the schedule scales, with its own token, through its own policy", async () => {
    const schedules = [{ name: "now", cron: "0 0 1 1 *", replicas: 1 }]
    const values = { ...usual, service: "clocked", track: "blue" as const, replicas: 0, schedules }
    const objects = await renderChart(tools, values, { namespace: here })
    await apply(objects.filter((o) => gateways || o.kind !== "HTTPRoute"))
    const kubectl = (...args: string[]) => lab.kubectl([...args, "--namespace", here])
    await kubectl("create", "job", "now", "--from=cronjob/clocked-now")
    await kubectl("wait", "--for=condition=Complete", "job/now", "--timeout=90s")
    expect(await kubectl("get", "deployment", "clocked-blue", "-o", "jsonpath={.spec.replicas}")).toBe("1")
    const managers = await kubectl("get", "deployment", "clocked-blue", "-o", "json", "--show-managed-fields")
    expect(managers).toContain('"manager": "gantry-schedule"')
  })

  it("TEST's account can read nothing of PROD, and nothing of the cluster", async () => {
    await lab.kubectl(["create", "secret", "generic", "password", "--from-literal=a=b", "--namespace", there])
    const reads = [
      "pods",
      "secrets",
      "configmaps",
      "services",
      "deployments.apps",
      "events",
      "leases.coordination.k8s.io",
    ]
    for (const what of reads) {
      await expect(lab.kubectl(["get", what, account(here), "--namespace", there]), what).rejects.toMatchObject({
        reason: expect.stringMatching(new RegExp(`cannot list resource "${what.split(".")[0]}"`)) as string,
      })
    }
    await expect(lab.kubectl(["get", "secret", "password", account(here), "--namespace", there])).rejects.toMatchObject(
      { reason: expect.stringContaining('cannot get resource "secrets"') as string },
    )
    for (const what of ["nodes", "namespaces", "clusterroles", "persistentvolumes"]) {
      await expect(lab.kubectl(["get", what, account(here)]), what).rejects.toMatchObject({
        reason: expect.stringContaining("at the cluster scope") as string,
      })
    }
    await expect(lab.kubectl(["get", "namespace", there, account(here)])).rejects.toThrow()
    expect(await lab.kubectl(["get", "namespace", here, account(here), "-o", "name"])).toBe(`namespace/${here}`)
    // And nobody gives himself what he lacks.
    const role = (resources: string[]) => ({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name: "more", namespace: here },
      rules: [{ apiGroups: [""], resources, verbs: ["create"] }],
    })
    await expect(apply([role(["pods/exec"])], account(here), "--dry-run=server")).rejects.toMatchObject({
      reason: expect.stringContaining("attempting to grant RBAC permissions not currently held") as string,
    })
  })

  it("the quota and the limits are what a pod without any gets and cannot exceed", async () => {
    const pod = (resources: object) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "plain", namespace: here },
      spec: {
        securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: "RuntimeDefault" } },
        containers: [
          {
            name: "a",
            image: "a.example/a@sha256:" + "0".repeat(64),
            resources,
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          },
        ],
      },
    })
    const plain = (await apply([pod({})], "--dry-run=server", "-o", "json")) || "{}"
    expect(plain).toContain('"memory": "512Mi"')
    await expect(apply([pod({ limits: { memory: "200Gi", cpu: "1" } })], "--dry-run=server")).rejects.toMatchObject({
      reason: expect.stringContaining("maximum memory usage per Container is 32Gi") as string,
    })
  })
})
