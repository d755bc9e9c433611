/** The connection pool, and transactions over it. */
import mysql from "mysql2/promise"

/** MariaDB's ways to say "somebody was faster, try again": lock wait timeout, deadlock, record changed since last read. */
const retriable = new Set([1205, 1213, 1020])

export function createPool({ host, port, name, user, password, connections }) {
  return mysql.createPool({
    host,
    port,
    database: name,
    user,
    password,
    connectionLimit: connections,
    connectTimeout: 3_000,
    // A queue without a bound hides an overload until everything times out at once.
    queueLimit: connections * 20,
    timezone: "Z",
    charset: "utf8mb4",
  })
}

/** Runs `work(connection)` in a transaction; rolls back when it throws; runs it again, at most twice, when the database asks for that. */
export async function transaction(pool, work, attempts = 3) {
  for (let attempt = 1; ; attempt++) {
    const connection = await pool.getConnection()
    try {
      await connection.beginTransaction()
      const result = await work(connection)
      await connection.commit()
      return result
    } catch (error) {
      await connection.rollback().catch(() => connection.destroy())
      if (!retriable.has(error?.errno) || attempt >= attempts) throw error
    } finally {
      connection.release()
    }
  }
}

/** Throws when the database does not answer within `timeoutMs`, and says why. */
export async function ping(pool, timeoutMs = 1_500) {
  await pool.query({ sql: "SELECT 1", timeout: timeoutMs })
}

/** Whether the database answers. Never throws. */
export const reachable = (pool) =>
  ping(pool).then(
    () => true,
    () => false,
  )
