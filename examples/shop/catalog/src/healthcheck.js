/** What Docker's HEALTHCHECK runs: exit code 0 when this container's own /health answers 200. */
const response = await fetch(`http://127.0.0.1:${process.env.PORT || 8080}/health`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined)
process.exit(response?.status === 200 ? 0 : 1)
