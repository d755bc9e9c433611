-- Migrations only add what the running version can ignore; what is taken away goes one release later (expand/contract).
CREATE TABLE IF NOT EXISTS orders (
  id CHAR(36) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  customer VARCHAR(100) NOT NULL,
  sku VARCHAR(40) CHARACTER SET ascii NOT NULL,
  quantity INT NOT NULL,
  unit_price_cents BIGINT NOT NULL,
  currency CHAR(3) CHARACTER SET ascii NOT NULL,
  status VARCHAR(20) CHARACTER SET ascii NOT NULL,
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
