-- Expand: the version before this one never names the column and keeps working.
ALTER TABLE products ADD COLUMN IF NOT EXISTS discontinued_at TIMESTAMP(3) NULL DEFAULT NULL;
