import { Agent, request } from "node:http"

/** Asks `url` over and over on keep-alive connections until stopped; answers how often, and every failure. */
export function startLoad(url, { connections }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const failures = []
  let count = 0
  let running = true

  const once = () =>
    new Promise((resolve) => {
      const sent = request(url, { agent }, (response) => {
        response.resume().on("end", () => {
          if (response.statusCode === 200) count++
          else failures.push(`status ${response.statusCode}`)
          resolve()
        })
      })
      sent.on("error", (error) => {
        failures.push(error.message)
        resolve()
      })
      sent.end()
    })
  const worker = async () => {
    while (running) await once()
  }
  const workers = Array.from({ length: connections }, worker)

  return {
    count: () => count,
    async stop() {
      running = false
      await Promise.all(workers)
      agent.destroy()
      return { count, failures }
    },
  }
}
