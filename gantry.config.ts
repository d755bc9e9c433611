import { defineConfig } from "gantry-ci/config"

/** Gantry's own repository delivers the example shop: TEST, UAT and PROD on the local Docker Engine. */
export default defineConfig({
  project: "shop",
  services: ["examples/shop/catalog", "examples/shop/order"],
  configRepo: "examples/shop/config-repo",
  environments: {
    test: { replicas: 1 },
    uat: { replicas: 2 },
    prod: { replicas: 3, approvals: { required: 1, expiresAfterHours: 24 } },
  },
  approvers: [
    { name: "Lin Release", email: "lin.release@shop.example", role: "release-manager" },
    { name: "Wang Ops", email: "wang.ops@shop.example", role: "operations" },
  ],
})
