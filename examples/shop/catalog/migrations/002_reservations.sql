-- No foreign key to products: its shared lock on the product's row would deadlock with the stock update.
CREATE TABLE IF NOT EXISTS reservations (
  reference VARCHAR(64) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  sku VARCHAR(40) CHARACTER SET ascii NOT NULL,
  quantity INT NOT NULL,
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY reservations_by_sku (sku)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
