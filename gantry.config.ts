import { defineConfig } from "gantry-ci/config"

/** Small enough for three environments on one node with two cores. */
const resources = { requests: { cpu: "25m", memory: "128Mi" }, limits: { cpu: "1500m", memory: "768Mi" } }
const defaults = { resources, database: { storage: "1Gi", resources } }
/** With `--target kubernetes`: contexts as `npm run demo -- --target kubernetes` writes them, one an environment. */
const namespace = (name: string) => ({
  context: name,
  namespace: name,
  expose: { kind: "nodePort" as const },
  defaults,
})

/** Gantry's own repository delivers the example shop: TEST, UAT and PROD on the local Docker Engine, or on a cluster. */
export default defineConfig({
  project: "shop",
  services: ["examples/shop/catalog", "examples/shop/order"],
  configRepo: "examples/shop/config-repo",
  environments: {
    test: { replicas: 1, kubernetes: namespace("shop-test") },
    uat: { replicas: 2, kubernetes: namespace("shop-uat") },
    prod: { replicas: 3, kubernetes: namespace("shop-prod"), approvals: { required: 1, expiresAfterHours: 24 } },
  },
  approvers: [
    { name: "Lin Release", email: "lin.release@shop.example", role: "release-manager" },
    { name: "Wang Ops", email: "wang.ops@shop.example", role: "operations" },
  ],
})
