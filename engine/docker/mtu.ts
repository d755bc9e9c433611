import { readFile } from "node:fs/promises"

/**
 * MTU in bytes of the interface of the default route, 1500 when it cannot be told. A bridge with a larger one loses the
 * large packets of its containers without a word.
 */
export async function defaultRouteMtu(root = ""): Promise<number> {
  try {
    const routes = (await readFile(`${root}/proc/net/route`, "utf8")).split("\n").slice(1)
    const name = routes.map((line) => line.split("\t")).find(([, destination]) => destination === "00000000")?.[0]
    if (name === undefined) return 1500
    const mtu = Number(await readFile(`${root}/sys/class/net/${name}/mtu`, "utf8"))
    return Number.isInteger(mtu) && mtu >= 576 ? Math.min(mtu, 1500) : 1500
  } catch {
    return 1500
  }
}
