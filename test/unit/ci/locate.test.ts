import { describe, expect, it } from "vitest"
import { fileLocator } from "../../../ci/locate.js"

const files = [
  "shop/catalog/src/app.ts",
  "shop/catalog/gantry.service.yaml",
  "shop/order/src/main/java/com/shop/Order.java",
  "shop/order/src/main/java/com/other/Order.java",
  "shop/order/src/a/index.ts",
  "shop/order/src/b/index.ts",
  "README.md",
]
const locator = fileLocator(
  files,
  "shop/",
  new Map([
    ["catalog", "catalog"],
    ["order", "order"],
  ]),
)

describe("a file that a tool names", () => {
  it.each([
    ["relative to the service", "catalog", "src/app.ts", "shop/catalog/src/app.ts"],
    ["with a dot before it", "catalog", "./src/app.ts", "shop/catalog/src/app.ts"],
    ["relative to the project", "catalog", "catalog/src/app.ts", "shop/catalog/src/app.ts"],
    ["relative to the repository", undefined, "README.md", "README.md"],
    ["absolute in its container", "catalog", "/work/service/src/app.ts", "shop/catalog/src/app.ts"],
    ["of Windows", "catalog", "src\\app.ts", "shop/catalog/src/app.ts"],
    ["by its Java package", "order", "com/shop/Order.java", "shop/order/src/main/java/com/shop/Order.java"],
    ["that could be two", "order", "index.ts", undefined],
    ["of another service", "catalog", "com/shop/Order.java", undefined],
    ["that is not there", "catalog", "node_modules/x/index.js", undefined],
    ["outside", "catalog", "../../etc/passwd", undefined],
    ["that is none", "catalog", "", undefined],
    ["that is the root", "catalog", "/", undefined],
  ])("%s", (_, service, named, expected) => {
    expect(locator.locate(service, named)).toBe(expected)
  })
  it("the folder of a service", () => {
    expect(locator.folder("catalog")).toBe("shop/catalog")
    expect(locator.folder("nobody")).toBeUndefined()
  })
})
