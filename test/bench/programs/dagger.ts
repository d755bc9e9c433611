import { connection, dag } from "@dagger.io/dagger"
import { containers, containerWork, sameWork } from "../work.js"

/** The work as a program of the bare Dagger SDK: two chains beside each other. Arguments: image, nonce. */
const [image = "", nonce = ""] = process.argv.slice(2)
let distinct = 0
await connection(async () => {
  const outputs: string[] = []
  const chain = async (first: number) => {
    for (let n = first; n < containers; n += 2) outputs.push(await containerWork(dag, image, n, nonce))
  }
  await Promise.all([chain(0), chain(1)])
  distinct = sameWork(outputs)
})
process.stdout.write(JSON.stringify({ distinct }))
