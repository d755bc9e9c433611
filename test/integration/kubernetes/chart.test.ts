import { beforeAll, describe, expect, it } from "vitest"
import { labels, parts } from "../../../environments/kubernetes/labels.js"
import type { KubernetesObject } from "../../../environments/kubernetes/object.js"
import { chartFolder, renderChart, withScratch } from "../../../environments/kubernetes/render.js"
import type { ChartInput } from "../../../environments/kubernetes/values.js"
import { combinations, digest, least, usual } from "../../fakes/chart-values.js"
import { podsOf, violations } from "../../fakes/pod-security.js"
import { at, combination, makeTools, namespace, one, tools } from "./rig.js"

const render = (values: ChartInput) => renderChart(tools, values, { namespace })
const names = (objects: readonly KubernetesObject[]) => objects.map((o) => `${o.kind}/${o.metadata.name}`)
const containerOf = (object: KubernetesObject) => at(object, "spec.template.spec.containers.0")
const selectorOf = (objects: readonly KubernetesObject[], name: string) =>
  at(one(objects, "Service", name), "spec.selector")

/** What holds of every object, whatever the values. */
function check(objects: readonly KubernetesObject[], values: ChartInput): void {
  expect(new Set(names(objects)).size, "each name once").toBe(objects.length)
  for (const object of objects) {
    const what = `${object.kind} ${object.metadata.name}`
    expect(object.metadata.namespace, what).toBe(namespace)
    expect(object.metadata.labels, what).toMatchObject({
      [labels.name]: values.service,
      [labels.managedBy]: values.managedBy ?? "Helm",
      [labels.project]: values.project ?? "project",
      [labels.environment]: values.environment ?? "default",
    })
    expect(parts, what).toContain(object.metadata.labels?.[labels.part])
    expect(JSON.stringify(object), what).not.toMatch(/<no value>|<nil>|e\+\d|:null/)
    for (const pod of podsOf(object)) {
      expect(violations(pod), what).toEqual([])
      for (const container of pod.containers) {
        const { securityContext, env = [] } = container as { securityContext?: object; env?: { name: string }[] }
        expect(securityContext, what).toMatchObject({ readOnlyRootFilesystem: true })
        expect(at(container, "resources.limits"), what).toMatchObject({ cpu: expect.any(String) as string })
        expect(new Set(env.map((e) => e.name)).size, "each variable once").toBe(env.length)
      }
    }
  }
}

beforeAll(makeTools)

describe("Gantry's chart", () => {
  it.each(Object.entries(combinations))("renders %s", async (name, values) => {
    check(await combination(name), values)
  })

  it("lint --strict has nothing to say", async () => {
    const helm = await tools.helm()
    const chart = chartFolder()
    const ran = await withScratch((scratch) =>
      helm.run(
        [
          "lint",
          chart,
          "--strict",
          "--kube-version=1.34.0",
          "--set=service=order",
          `--set=image.repository=${least.image.repository}`,
          `--set=image.digest=${least.image.digest}`,
        ],
        { scratch, folders: [chart] },
      ),
    )
    expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("0 chart(s) failed") as string })
  })

  it("Helm itself refuses a tag and a field that it does not know", async () => {
    const helm = await tools.helm()
    const chart = chartFolder()
    const ran = await withScratch((scratch) =>
      helm.run(
        [
          "template",
          "order",
          chart,
          "--kube-version=1.34.0",
          "--set=service=order",
          "--set=image.repository=reg.example/shop/order",
          "--set=image.digest=1.2",
          "--set=image.tag=1.2",
        ],
        { scratch, folders: [chart] },
      ),
    )
    expect(ran.exitCode).not.toBe(0)
    expect(ran.stderr).toMatch(/additional properties 'tag' not allowed/)
    expect(ran.stderr).toMatch(/'1\.2' does not match pattern/)
  })

  it("values that do not fit are refused before Helm sees them", async () => {
    await expect(render({ ...least, image: { ...least.image, digest: "latest" } })).rejects.toMatchObject({
      code: "CHART-VALUES",
      kind: "usage",
      reason: expect.stringContaining("image.digest") as string,
    })
  })

  it("Helm's own refusal is told with its words", async () => {
    const schedules = [{ name: "a", cron: "* * * * *" }]
    await expect(render({ ...least, schedules })).rejects.toMatchObject({
      code: "CHART-RENDER",
      reason: expect.stringContaining("schedule a says nothing") as string,
    })
  })
})

describe("an instance", () => {
  it("is the image by digest, with what the Docker target gives, too", async () => {
    const objects = await combination("usual")
    const deployment = one(objects, "Deployment", "order-green")
    const env = at(containerOf(deployment), "env") as { name: string; value?: string }[]
    expect(at(containerOf(deployment), "image")).toBe(`127.0.0.1:5000/shop/order@${digest("a")}`)
    expect(Object.fromEntries(env.map((e) => [e.name, e.value]))).toEqual({
      PORT: "8081",
      GREETING: 'say "hello": {{ not a template }}',
      GANTRY_ENVIRONMENT: "test",
      GANTRY_COMMIT: "4f2a91c0",
      GANTRY_CONFIG: "/config/application.yml",
      SPRING_CONFIG_ADDITIONAL_LOCATION: "file:/config/",
      CATALOG_API_URL: "http://catalog-api:80",
      INSTANCE_ID: undefined,
    })
    expect(at(containerOf(deployment), "lifecycle.preStop.sleep.seconds")).toBe(10)
    expect(at(deployment, "spec.template.spec.terminationGracePeriodSeconds")).toBe(30)
    expect(at(deployment, "spec.replicas")).toBe(3)
    expect(at(deployment, "spec.strategy.rollingUpdate")).toEqual({ maxSurge: "25%", maxUnavailable: 0 })
    expect(deployment.metadata.annotations?.["gantry.dev/release"]).toBe(usual.release)
    expect(at(deployment, "spec.template.metadata.annotations")).toMatchObject({
      "gantry.dev/release": usual.release,
      "prometheus.io/port": "8081",
    })
    expect(at(deployment, "spec.selector.matchLabels")).toEqual({
      "app.kubernetes.io/name": "order",
      "gantry.dev/track": "green",
    })
  })

  it("has its configuration to the letter, under a name of its own", async () => {
    const objects = await combination("usual")
    const config = one(objects, "ConfigMap", `order-config-${"f".repeat(16)}`)
    expect(config["immutable"]).toBe(true)
    expect(at(config, "data")).toEqual({ "application.yml": usual.config })
    const volumes = at(one(objects, "Deployment", "order-green"), "spec.template.spec.volumes")
    expect(volumes).toContainEqual({ name: "config", configMap: { name: config.metadata.name } })
  })

  it("drains by no hook where nothing is to be waited for: Kubernetes before 1.33 refuses a sleep of 0", async () => {
    const objects = await combination("a drain of nothing, a liveness path, no policy")
    expect(at(containerOf(one(objects, "Deployment", "order-green")), "lifecycle")).toBeUndefined()
    expect(objects.filter((o) => o.kind === "NetworkPolicy")).toEqual([])
  })

  it("has no number where an autoscaler owns it", async () => {
    const objects = await combination("an autoscaler and the clock")
    expect(at(one(objects, "Deployment", "order-green"), "spec")).not.toHaveProperty("replicas")
    expect(at(one(objects, "HorizontalPodAutoscaler", "order"), "spec.scaleTargetRef.name")).toBe("order-blue")
  })

  it("may be of a StatefulSet: its claims, no tracks", async () => {
    const objects = await combination("a statefulset with volumes")
    const set = one(objects, "StatefulSet", "order")
    expect(at(set, "spec.serviceName")).toBe("order-pods")
    expect(at(set, "spec.volumeClaimTemplates.0.spec.resources.requests.storage")).toBe("1Gi")
    expect(names(objects).filter((name) => /blue|green|preview/.test(name))).toEqual([])
    expect(selectorOf(objects, "order")).toEqual({ "app.kubernetes.io/name": "order" })
    expect(at(one(objects, "HorizontalPodAutoscaler", "order"), "spec.scaleTargetRef")).toMatchObject({
      kind: "StatefulSet",
      name: "order",
    })
  })
})

describe("traffic", () => {
  it("Services choose tracks; nothing but an instance answers to the service's name", async () => {
    const objects = await combination("a database and its migration")
    const name = { "app.kubernetes.io/name": "order" }
    expect(selectorOf(objects, "order")).toEqual({ ...name, "gantry.dev/track": "blue" })
    expect(selectorOf(objects, "order-blue")).toEqual({ ...name, "gantry.dev/track": "blue" })
    expect(selectorOf(objects, "order-green")).toEqual({ ...name, "gantry.dev/track": "green" })
    expect(selectorOf(objects, "order-preview")).toEqual({ ...name, "gantry.dev/track": "none" })
    const others = [one(objects, "Job", "order-migration"), one(objects, "StatefulSet", "order-db")]
    expect(others.map((o) => at(o, "spec.template.metadata.labels")).map((l) => at({ l }, "l"))).toEqual([
      expect.not.objectContaining(name),
      expect.not.objectContaining(name),
    ])
  })

  it("shares by replicas: the address reaches both tracks, the route no weights", async () => {
    const objects = await combination("shares by replicas")
    expect(selectorOf(objects, "order")).toEqual({ "app.kubernetes.io/name": "order" })
    expect(at(one(objects, "HTTPRoute", "order"), "spec.rules")).toEqual([
      expect.objectContaining({ backendRefs: [{ name: "order", port: 80, weight: 1 }] }),
    ])
  })

  it("a gateway: testers first, then weights; the preview has a route of its own", async () => {
    const objects = await combination("a gateway with weights and testers")
    const route = one(objects, "HTTPRoute", "order")
    expect(at(route, "spec.rules.0.matches.0.headers")).toEqual([{ type: "Exact", name: "X-Tester", value: "yes" }])
    expect(at(route, "spec.rules.0.backendRefs")).toEqual([{ name: "order-green", port: 80, weight: 1 }])
    expect(at(route, "spec.rules.1.backendRefs")).toEqual([
      { name: "order-blue", port: 80, weight: 95 },
      { name: "order-green", port: 80, weight: 5 },
    ])
    const preview = one(objects, "HTTPRoute", "order-preview")
    expect(at(preview, "spec.hostnames")).toEqual(["preview.order.example"])
    expect(at(preview, "spec.parentRefs.0")).toMatchObject({ name: "public", namespace: "gateway" })
    expect(at(preview, "spec.rules.0.backendRefs.0.name")).toBe("order-preview")
  })

  it("without weights the active track has all, and a change of nothing else changes that", async () => {
    const exposure = { kind: "gateway", gateway: "public" } as const
    const of = async (active: "blue" | "green") =>
      at(
        one(await render({ ...usual, exposure, traffic: { active } }), "HTTPRoute", "order"),
        "spec.rules.0.backendRefs",
      )
    expect(await of("blue")).toEqual([
      { name: "order-blue", port: 80, weight: 1 },
      { name: "order-green", port: 80, weight: 0 },
    ])
    expect(await of("green")).toEqual([
      { name: "order-blue", port: 80, weight: 0 },
      { name: "order-green", port: 80, weight: 1 },
    ])
  })

  it("an ingress: the active track, and a second one with the other's share", async () => {
    const objects = await combination("an ingress with weights and testers")
    const backend = (name: string) =>
      at(one(objects, "Ingress", name), "spec.rules.0.http.paths.0.backend.service.name")
    expect([backend("order"), backend("order-canary"), backend("order-preview")]).toEqual([
      "order-blue",
      "order-green",
      "order-preview",
    ])
    expect(one(objects, "Ingress", "order-canary").metadata.annotations).toEqual({
      "nginx.ingress.kubernetes.io/canary": "true",
      "nginx.ingress.kubernetes.io/canary-weight": "1000",
      "nginx.ingress.kubernetes.io/canary-weight-total": "10000",
      "nginx.ingress.kubernetes.io/canary-by-header": "X-Tester",
      "nginx.ingress.kubernetes.io/canary-by-header-value": "yes",
    })
    expect(
      names(await combination("an ingress of another controller")).filter((n) => n.startsWith("Ingress/")),
    ).toEqual(["Ingress/order"])
  })

  it("ports of the nodes are those that were asked for", async () => {
    const objects = await combination("ports of the nodes")
    const port = (name: string) => at(one(objects, "Service", name), "spec.ports.0.nodePort")
    expect([port("order"), port("order-preview"), port("order-blue")]).toEqual([30080, 30081, undefined])
  })
})

describe("scaling, policies, data", () => {
  it("the autoscaler looks at what it was told to, and goes down slowly", async () => {
    const hpa = one(await combination("an autoscaler and the clock"), "HorizontalPodAutoscaler", "order")
    expect(at(hpa, "spec")).toMatchObject({ minReplicas: 2, maxReplicas: 6 })
    expect((at(hpa, "spec.metrics") as object[]).map((m) => JSON.stringify(m))).toEqual([
      '{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":70}}}',
      '{"type":"Resource","resource":{"name":"memory","target":{"type":"Utilization","averageUtilization":80}}}',
      '{"type":"Pods","pods":{"metric":{"name":"http_requests_per_second"},"target":{"type":"AverageValue","averageValue":"50"}}}',
    ])
    expect(at(hpa, "spec.behavior.scaleDown.stabilizationWindowSeconds")).toBe(300)
  })

  it("the clock may scale one object, and nothing else", async () => {
    const withHpa = await combination("an autoscaler and the clock")
    expect(one(withHpa, "Role", "order-schedule")["rules"]).toEqual([
      {
        apiGroups: ["autoscaling"],
        resources: ["horizontalpodautoscalers"],
        resourceNames: ["order"],
        verbs: ["get", "patch"],
      },
    ])
    const args = (object: KubernetesObject) => at(object, "spec.jobTemplate.spec.template.spec.containers.0.args")
    const morning = one(withHpa, "CronJob", "order-morning")
    expect(at(morning, "spec.timeZone")).toBe("Asia/Shanghai")
    expect(args(morning)).toContain('--patch={"spec":{"maxReplicas":12,"minReplicas":4}}')
    const without = await combination("the clock without an autoscaler")
    expect(one(without, "Role", "order-schedule")["rules"]).toEqual([
      { apiGroups: ["apps"], resources: ["deployments/scale"], resourceNames: ["order-blue"], verbs: ["get", "patch"] },
    ])
    expect(args(one(without, "CronJob", "order-sale"))).toEqual(
      expect.arrayContaining(["deployment/order-blue", "--subresource=scale", '--patch={"spec":{"replicas":9}}']),
    )
  })

  it("an autoscaler that takes nothing away while two releases share the traffic", async () => {
    const down = async (held: boolean) => {
      const autoscaling = { min: 2, max: 3, cpu: 50 }
      const objects = await render({ ...usual, replicas: undefined, autoscaling, traffic: { held } })
      return at(one(objects, "HorizontalPodAutoscaler", "order"), "spec.behavior.scaleDown.selectPolicy")
    }
    expect([await down(false), await down(true)]).toEqual(["Min", "Disabled"])
  })

  it("a disruption budget where there is more than one instance", async () => {
    const budget = async (values: ChartInput) => (await render(values)).find((o) => o.kind === "PodDisruptionBudget")
    expect(at(await budget(usual), "spec.maxUnavailable")).toBe(1)
    expect(at(await budget({ ...usual, pdb: { minAvailable: "50%" } }), "spec")).toMatchObject({ minAvailable: "50%" })
    expect(at(await budget({ ...usual, pdb: { minAvailable: 2 } }), "spec")).not.toHaveProperty("maxUnavailable")
    expect(await budget({ ...usual, replicas: 1 })).toBeUndefined()
    expect(await budget({ ...usual, pdb: { enabled: false } })).toBeUndefined()
    expect(await budget({ ...usual, replicas: undefined, autoscaling: { min: 2, max: 3, cpu: 50 } })).toBeDefined()
  })

  it("a service's policy denies both ways but for whom it names", async () => {
    const policy = one(await render({ ...usual, database: undefined }), "NetworkPolicy", "order")
    expect(at(policy, "spec.policyTypes")).toEqual(["Ingress", "Egress"])
    const http = [{ protocol: "TCP", port: "http" }]
    expect(at(policy, "spec.ingress")).toEqual([
      { from: [{ podSelector: { matchLabels: { "app.kubernetes.io/name": "web" } } }], ports: http },
      { from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "gateway" } } }], ports: http },
      {
        from: [
          {
            podSelector: { matchLabels: { "app.kubernetes.io/name": "prometheus" } },
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
          },
        ],
        ports: http,
      },
    ])
    expect(at(policy, "spec.egress")).toHaveLength(2)
    expect(at(policy, "spec.egress.1.to.0.podSelector.matchLabels")).toEqual({
      "app.kubernetes.io/name": "catalog-api",
    })
    expect(at(one(await render(least), "NetworkPolicy", "order"), "spec.ingress")).toEqual([])
  })

  it("a database: its account from the Secret, its way in for the service and its migration alone", async () => {
    const objects = await combination("a database and its migration")
    const env = at(containerOf(one(objects, "Deployment", "order-green")), "env") as { name: string }[]
    expect(env).toContainEqual({ name: "DB_HOST", value: "order-db" })
    expect(env).toContainEqual({ name: "DB_NAME", value: "orders" })
    expect(env).toContainEqual({
      name: "DB_PASSWORD",
      valueFrom: { secretKeyRef: { name: "order-db", key: "password" } },
    })
    const from = at(one(objects, "NetworkPolicy", "order-db"), "spec.ingress.0.from") as object[]
    expect(from.map((f) => at(f, "podSelector.matchLabels"))).toEqual([
      { "app.kubernetes.io/name": "order" },
      { "app.kubernetes.io/name": "order-migration" },
    ])
    const job = one(objects, "Job", "order-migration")
    expect(at(job, "spec")).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 360 })
    expect(at(job, "spec")).not.toHaveProperty("ttlSecondsAfterFinished")
    expect(at(containerOf(job), "command")).toEqual(["/bin/sh", "-c", "npm run migrate"])
    expect(at(containerOf(job), "env")).toEqual(env)
    expect(job.metadata.annotations?.["gantry.dev/migration-key"]).toBe("k1")
    // It is done once, so it does not begin before its way to the database is open.
    expect(at(job, "spec.template.spec.initContainers.0.command.2")).toContain("/dev/tcp/order-db/3306")
    const elsewhere = one(await combination("a migration of a database elsewhere"), "Job", "order-migration")
    expect(at(elsewhere, "spec.template.spec")).not.toHaveProperty("initContainers")
  })

  it("by hand, with what is said least, the parts that may be absent have their defaults, too", async () => {
    // Straight to Helm, past the typed values.
    const helm = await tools.helm()
    const chart = chartFolder()
    const image = (name: string) => [
      `--set=${name}.repository=docker.io/library/x`,
      `--set=${name}.digest=${digest("c")}`,
    ]
    const ran = await withScratch((scratch) =>
      helm.run(
        [
          "template",
          "order",
          chart,
          "--kube-version=1.34.0",
          "--set=service=order",
          ...image("image"),
          ...image("database.image"),
          "--set=database.kind=mariadb,database.name=a,database.user=a,database.secret=a",
          "--set-string=autoscaling.requestsPerSecond.average=5",
          "--set=migration.command={a}",
        ],
        { scratch, folders: [chart] },
      ),
    )
    expect(ran.stderr).toBe("")
    for (const said of [
      "storage: 10Gi",
      "runAsUser: 999",
      "minReplicas: 2",
      "name: http_requests_per_second",
      "activeDeadlineSeconds: 1200",
    ])
      expect(ran.stdout).toContain(said)
  })
})
