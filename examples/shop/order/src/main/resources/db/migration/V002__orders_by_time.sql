CREATE INDEX IF NOT EXISTS orders_by_time ON orders (created_at, id);
