/** Products and their stock, in SQL. Money is in the currency's smallest unit. */
import { transaction } from "./database.js"
import { conflict, notFound } from "./problem.js"

const columns = "sku, name, price_cents AS priceCents, stock, created_at AS createdAt"
const onSale = "discontinued_at IS NULL"
const duplicate = 1062

export function createProducts(pool) {
  const find = async (sku) => {
    const [[product]] = await pool.execute(`SELECT ${columns} FROM products WHERE sku = ? AND ${onSale}`, [sku])
    return product
  }
  const reservation = async (reference) => {
    const [[row]] = await pool.execute("SELECT reference, sku, quantity FROM reservations WHERE reference = ?", [reference])
    return row
  }

  /** The reservation that `reference` made before, or undefined; a conflict when it was for something else. */
  const repeated = async ({ reference, sku, quantity }) => {
    const existing = await reservation(reference)
    if (!existing) return undefined
    if (existing.sku === sku && existing.quantity === quantity) return { ...existing, repeated: true }
    throw conflict("REFERENCE_TAKEN", `Reference ${reference} belongs to another reservation`)
  }

  return {
    /** One page, by SKU. `page` counts from 1. */
    async list({ page, size }) {
      const [[{ total }]] = await pool.query(`SELECT COUNT(*) AS total FROM products WHERE ${onSale}`)
      const [items] = await pool.query(`SELECT ${columns} FROM products WHERE ${onSale} ORDER BY sku LIMIT ? OFFSET ?`, [
        size,
        (page - 1) * size,
      ])
      return { items, total }
    },

    async get(sku) {
      const product = await find(sku)
      if (!product) throw notFound(`There is no product ${sku}`)
      return product
    },

    async create({ sku, name, priceCents, stock }) {
      try {
        await pool.execute("INSERT INTO products (sku, name, price_cents, stock) VALUES (?, ?, ?, ?)", [sku, name, priceCents, stock])
      } catch (error) {
        if (error.errno === duplicate) throw conflict("SKU_TAKEN", `There is a product ${sku} already`)
        throw error
      }
      return find(sku)
    },

    /** Takes a product off sale. Its row stays: reservations and orders still name it. */
    async discontinue(sku) {
      const [result] = await pool.execute(`UPDATE products SET discontinued_at = CURRENT_TIMESTAMP(3) WHERE sku = ? AND ${onSale}`, [sku])
      if (result.affectedRows === 0) throw notFound(`There is no product ${sku}`)
    },

    /**
     * Takes `quantity` from the stock, once per `reference`: a caller that got no answer may ask again.
     * The product's row is locked first, so that concurrent reservations queue instead of deadlocking.
     */
    async reserve({ sku, quantity, reference }) {
      try {
        const done = await transaction(pool, async (connection) => {
          const [taken] = await connection.execute(
            `UPDATE products SET stock = stock - ? WHERE sku = ? AND stock >= ? AND ${onSale}`,
            [quantity, sku, quantity],
          )
          if (taken.affectedRows === 0) return false
          await connection.execute("INSERT INTO reservations (reference, sku, quantity) VALUES (?, ?, ?)", [reference, sku, quantity])
          return true
        })
        if (done) return { reference, sku, quantity, repeated: false }
      } catch (error) {
        if (error.errno !== duplicate) throw error
      }
      const before = await repeated({ reference, sku, quantity })
      if (before) return before
      if (!(await find(sku))) throw notFound(`There is no product ${sku}`)
      throw conflict("OUT_OF_STOCK", `There are fewer than ${quantity} of ${sku} in stock`)
    },

    /** Gives back what `reference` reserved. */
    async release(reference) {
      const done = await transaction(pool, async (connection) => {
        const [[row]] = await connection.execute("SELECT sku, quantity FROM reservations WHERE reference = ? FOR UPDATE", [reference])
        if (!row) return false
        await connection.execute("UPDATE products SET stock = stock + ? WHERE sku = ?", [row.quantity, row.sku])
        await connection.execute("DELETE FROM reservations WHERE reference = ?", [reference])
        return true
      })
      if (!done) throw notFound(`There is no reservation ${reference}`)
    },
  }
}
